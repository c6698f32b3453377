package autocert_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roostgo/roost/autocert"
	"github.com/roostgo/roost/internal/testcert"
)

func TestACertificateThatIsThereIsServed(t *testing.T) {
	dir := t.TempDir()
	pair := testcert.New(t, "roost.example")
	key, err := x509.MarshalECPrivateKey(pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	stored := append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key}), pair.CertPEM...)
	if err := os.WriteFile(filepath.Join(dir, "roost.example"), stored, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := autocert.New(autocert.Config{Hosts: []string{"roost.example"}, Dir: dir, Directory: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	hello := &tls.ClientHelloInfo{ServerName: "roost.example", CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
	got, err := c.GetCertificate(hello)
	if err != nil || got.Leaf.DNSNames[0] != "roost.example" {
		t.Errorf("%v, %v", got, err)
	}
	hello.ServerName = "elsewhere.example"
	if _, err := c.GetCertificate(hello); err == nil {
		t.Error("a certificate for a host that is not ours")
	}
	if !slices.Contains(c.NextProtos, "acme-tls/1") || c.MinVersion != tls.VersionTLS13 {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	_, err := autocert.New(autocert.Config{})
	if err == nil || !strings.Contains(err.Error(), "Hosts") || !strings.Contains(err.Error(), "Dir") {
		t.Error(err)
	}
}

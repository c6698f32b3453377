package secure_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/internal/testcert"
	"github.com/roostgo/roost/transport/secure"
)

// shake does a handshake within this process and returns the name of the
// server's certificate.
func shake(server, client *tls.Config) (string, error) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go func() { // ends with the pipe
		_ = tls.Server(a, server).Handshake()
	}()
	c := tls.Client(b, client)
	if err := c.Handshake(); err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].DNSNames[0], nil
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first, second := testcert.New(t, "first.example"), testcert.New(t, "second.example")
		first.Write(t, dir)
		reports := make(chan error, 10)
		r, err := secure.NewReloader(secure.Files{
			Cert: first.CertFile, Key: first.KeyFile, Every: time.Minute, Report: func(err error) { reports <- err },
		})
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = r.Run(t.Context()) }() // ends with the test
		config := r.Config()
		serves := func(want string) {
			t.Helper()
			client := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13} //nolint:gosec // which one comes is the question
			if got, err := shake(config, client); err != nil || got != want {
				t.Errorf("it serves %q, %v", got, err)
			}
		}
		pass := func(want string) {
			t.Helper()
			time.Sleep(time.Minute + time.Second) //nolint:forbidigo // of synctest
			synctest.Wait()
			select {
			case err := <-reports:
				if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
					t.Errorf("reported %v", err)
				}
			default:
				if want != "nothing" {
					t.Error("nothing is reported")
				}
			}
		}
		serves("first.example")
		pass("nothing")
		if err := os.WriteFile(first.CertFile, append(second.CertPEM, '\n'), 0o600); err != nil { // the key is still to come
			t.Fatal(err)
		}
		pass("belong together")
		serves("first.example")
		if err := os.WriteFile(first.KeyFile, append(second.KeyPEM, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		pass("")
		serves("second.example")
		if err := os.Remove(first.KeyFile); err != nil {
			t.Fatal(err)
		}
		pass("key.pem")
		serves("second.example")
	})
}

func TestClientsNeedACertificateOfTheAuthorities(t *testing.T) {
	dir := t.TempDir()
	server, ours, stranger := testcert.New(t, "server.example"), testcert.New(t, "ours.example"), testcert.New(t, "stranger.example")
	server.Write(t, dir)
	authorities := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authorities, ours.CertPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := secure.NewReloader(secure.Files{Cert: server.CertFile, Key: server.KeyFile, ClientCA: authorities})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Config()
	for name, offered := range map[string][]tls.Certificate{"ours": {ours.TLS}, "stranger": {stranger.TLS}, "none": nil} {
		a, b := net.Pipe()
		go func() { // ends with the pipe
			client := tls.Client(b, &tls.Config{RootCAs: testcert.Pool(server), ServerName: "server.example", Certificates: offered, MinVersion: tls.VersionTLS13})
			_ = client.Handshake()
			_, _ = client.Read(make([]byte, 1))
		}()
		err := tls.Server(a, c).Handshake()
		if (err == nil) != (name == "ours") {
			t.Errorf("%s: %v", name, err)
		}
		_, _ = a.Close(), b.Close()
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	dir := t.TempDir()
	pair := testcert.New(t, "server.example")
	pair.Write(t, dir)
	for want, f := range map[string]secure.Files{
		"nowhere.pem":      {Cert: "nowhere.pem", Key: pair.KeyFile},
		"belong together":  {Cert: pair.CertFile, Key: pair.CertFile},
		"nobody.pem":       {Cert: pair.CertFile, Key: pair.KeyFile, ClientCA: "nobody.pem"},
		"type CERTIFICATE": {Cert: pair.CertFile, Key: pair.KeyFile, ClientCA: pair.KeyFile},
	} {
		if _, err := secure.NewReloader(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

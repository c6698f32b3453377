package acme

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// authority is pebble, in this process.
type authority struct {
	directory string         // its URL
	roots     *x509.CertPool // its own certificate
	issued    atomic.Int64   // certificates it was asked for
}

// newAuthority starts one, which ends with the test. It finds every host at
// 127.0.0.1, and validates at a port. Of nonces it refuses some, as it is used to.
func newAuthority(t *testing.T, port int) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	out := log.New(io.Discard, "", 0)
	if testing.Verbose() {
		out = log.New(t.Output(), "pebble: ", 0)
	}
	store := db.NewMemoryStore()
	issuer := ca.New(out, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 7776000}})
	validator := va.New(out, 0, port, false, resolver(t), store)
	front := wfe.New(out, store, validator, issuer, []string{"pebble.letsencrypt.org"}, false, false, 1, 1)
	a := &authority{roots: x509.NewCertPool()}
	a.roots.AddCert(issuer.GetRootCert(0).Cert)
	pages := front.Handler()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/finalize-order/") {
			w = counted{w, &a.issued}
		}
		pages.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	trust(t, server.Certificate())
	a.directory = server.URL + wfe.DirectoryPath
	return a
}

// counted is an answer that counts when it is yes, and not when the request has to
// come again with another nonce.
type counted struct {
	http.ResponseWriter
	yes *atomic.Int64
}

// WriteHeader implements http.ResponseWriter.
func (c counted) WriteHeader(status int) {
	if status == http.StatusOK {
		c.yes.Add(1)
	}
	c.ResponseWriter.WriteHeader(status)
}

// trust makes the authority's site one that this system trusts, which is looked
// at once in a process.
func trust(t *testing.T, site *x509.Certificate) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)
}

// resolver starts a name server for which every host is this one.
func resolver(t *testing.T) string {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, question *dns.Msg) {
		answer := new(dns.Msg).SetReply(question)
		for _, q := range question.Question {
			if q.Qtype == dns.TypeA {
				header := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
				answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: net.IPv4(127, 0, 0, 1)})
			}
		}
		_ = w.WriteMsg(answer) // who has gone needs none
	})}
	go func() { _ = server.ActivateAndServe() }() // ends with the test
	t.Cleanup(func() { _ = server.Shutdown() })
	return l.Addr().String()
}

package secure

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Files are PEM files that are read again when they change. Cert and Key are
// needed.
type Files struct {
	// Cert has the server's certificate, and those between it and its root.
	Cert string

	// Key has its private key.
	Key string

	// ClientCA has the authorities that clients' certificates come from; then
	// nobody gets in without one. Default: clients are not asked for any.
	ClientCA string

	// Base is what else the configuration says; its GetConfigForClient is not
	// asked. Default: TLS 1.3 at least.
	Base *tls.Config

	// Every is how often they are looked at. Default: 10 s.
	Every time.Duration

	// Report is told of every change, with nil when it was taken over, or why
	// the earlier files stay in use. Default: nobody.
	Report func(error)
}

// Reloader serves what is in Files, and follows them while it runs. New
// handshakes get what is new; connections stay, and sessions are resumed unless
// the client's certificate no longer comes from ClientCA. It is safe for
// concurrent use.
type Reloader struct {
	files   Files
	current atomic.Pointer[tls.Config]
	seen    stamps // owned by Run
}

// NewReloader reads the files once. The error says which one is wrong.
func NewReloader(f Files) (*Reloader, error) {
	f.Every = cmp.Or(f.Every, 10*time.Second)
	if f.Report == nil {
		f.Report = func(error) {}
	}
	if f.Base == nil {
		f.Base = &tls.Config{MinVersion: tls.VersionTLS13}
	}
	r := &Reloader{files: f, seen: f.look()}
	return r, r.load()
}

// Config is for Listen, or for any other server. It follows the files.
func (r *Reloader) Config() *tls.Config {
	c := r.current.Load().Clone()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return r.current.Load(), nil }
	return c
}

// Run looks at the files until ctx is done.
func (r *Reloader) Run(ctx context.Context) error {
	tick := time.NewTicker(r.files.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.check()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// check reads the files if they have changed. A pair that does not match, of
// which one is still to be written, is tried again with the next change.
func (r *Reloader) check() {
	if now := r.files.look(); now != r.seen {
		r.seen = now
		r.files.Report(r.load())
	}
}

func (r *Reloader) load() error {
	c, err := r.files.read()
	if err != nil {
		return err
	}
	r.current.Store(c)
	return nil
}

func (f *Files) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("secure: certificate %s with key %s: %w (both are PEM files, and belong together)", f.Cert, f.Key, err)
	}
	c := f.Base.Clone()
	c.Certificates = []tls.Certificate{pair}
	if f.ClientCA == "" {
		return c, nil
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	c.ClientCAs, err = authorities(f.ClientCA)
	return c, err
}

func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("secure: authorities of clients: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("secure: authorities of clients: %s has no certificate: %w", file, errNoPEM)
	}
	return pool, nil
}

var errNoPEM = errors.New("it must have PEM blocks of the type CERTIFICATE")

// stamps tell one state of the files from another.
type stamps [3]struct {
	modified time.Time
	size     int64
}

// look is how the files are now. One that is not there is left out: it may be
// about to come.
func (f *Files) look() (s stamps) {
	for i, name := range []string{f.Cert, f.Key, f.ClientCA} {
		if info, err := os.Stat(name); err == nil {
			s[i].modified, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}

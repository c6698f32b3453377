package roost

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/roostgo/roost/reload"
	"github.com/roostgo/roost/transport/secure"
)

// TLS is how a Server speaks TLS. CertFile and KeyFile are needed, or Config.
//
// Sessions are resumed. On Linux a connection in TLS 1.3 is parked on the event
// loops as others are.
type TLS struct {
	// CertFile is a PEM file with the certificate, and those between it and its
	// root. It is read again when it changes, as the files below are;
	// connections stay.
	CertFile string

	// KeyFile is a PEM file with the certificate's private key.
	KeyFile string

	// ClientCAFile is a PEM file with the authorities that clients'
	// certificates come from; then nobody gets in without one, and Connect
	// finds it in Info.PeerCert. Default: clients are not asked for any.
	ClientCAFile string

	// TicketKeysFile has the keys of session tickets, a line each, of 32 bytes or
	// more, such as `roost secret` prints. Servers with the same file resume each
	// other's sessions, as those behind one balancer should. The first line makes
	// tickets, all are accepted, so that keys are rolled: who has the file
	// can resume sessions, and read those whose client allows that. Default: each
	// process has its own; see Config.
	TicketKeysFile string

	// MinVersion is the oldest version that is spoken. tls.VersionTLS12 lets
	// old clients in; each of them costs a goroutine.
	// Default: tls.VersionTLS13.
	MinVersion uint16

	// Config is the configuration that the fields above complete, or, without
	// CertFile, the whole, such as package autocert makes. It is copied when the
	// server starts. Without TicketKeysFile, keys of session tickets are made and changed daily by each
	// process for itself, unless SetSessionTicketKeys was called before: then
	// they are those until the end, and the tickets of nodes with the same keys
	// are good for each other. Default: that of crypto/tls.
	Config *tls.Config

	// Reload is how often the files are looked at. Default: 10 s.
	Reload time.Duration

	// Now has the files read at once, changed or not, for each value:
	// signal.Notify(now, syscall.SIGHUP). Default: never.
	Now <-chan os.Signal

	// Handshakes is how many may be under way at once. One more displaces that
	// which waits longest for its client. Default: 1,000.
	Handshakes int

	// Computing is how many of them compute at once, each half a millisecond of a
	// processor; the others wait. What is left of the processors is for those
	// who are connected. Default: half of GOMAXPROCS, at least 1.
	Computing int

	// HandshakeTimeout is how long one may take. Default: 10 s.
	HandshakeTimeout time.Duration
}

// TLSStats counts the handshakes of a Server.
type TLSStats = secure.Stats

// handshakes finds what counts them while a server runs.
type handshakes struct {
	listener atomic.Pointer[secure.Listener]
	files    atomic.Pointer[secure.Reloader]
}

// of has those of a listener counted, if it speaks TLS.
func (h *handshakes) of(l net.Listener) {
	if s, ok := l.(*secure.Listener); ok {
		h.listener.Store(s)
	}
}

func (h *handshakes) stats() TLSStats {
	l := h.listener.Load()
	if l == nil {
		return TLSStats{}
	}
	return l.Stats()
}

// follow has those counted that read files again.
func (h *handshakes) follow(services []Service) {
	for _, s := range services {
		if r, ok := s.(*secure.Reloader); ok {
			h.files.Store(r)
		}
	}
}

func (h *handshakes) reloads() reload.Stats {
	r := h.files.Load()
	if r == nil {
		return reload.Stats{}
	}
	return r.Stats()
}

// wrap has a listener speak TLS. The service follows the files.
func (t *TLS) wrap(l net.Listener, log *slog.Logger) (net.Listener, []Service, error) {
	if t == nil {
		return l, nil, nil
	}
	config, services, err := t.config(log)
	if err != nil {
		return nil, nil, err
	}
	return secure.Listen(l, secure.Config{
		TLS: config, Handshakes: t.Handshakes, Computing: t.Computing, Timeout: t.HandshakeTimeout,
		Failed: func(client net.Addr, err error) { shakenOff(log, client, err) },
	}), services, nil
}

// shakenOff logs a handshake that failed: mostly the client's business, unless the
// user's callback panicked.
func shakenOff(log *slog.Logger, client net.Addr, err error) {
	level, attrs := slog.LevelDebug, []slog.Attr{slog.Any("client", client), slog.Any("error", err)}
	if p, ok := errors.AsType[*secure.PanicError](err); ok {
		level, attrs = slog.LevelError, append(attrs, slog.String("stack", string(p.Stack)))
	}
	log.LogAttrs(context.Background(), level, "TLS handshake failed", attrs...)
}

// config is what crypto/tls is told; t is valid.
func (t *TLS) config(log *slog.Logger) (*tls.Config, []Service, error) {
	base := &tls.Config{MinVersion: tls.VersionTLS13}
	if t.Config != nil {
		base = t.Config.Clone()
	}
	base.MinVersion = t.least()
	if t.CertFile == "" {
		return base, nil, nil
	}
	r, err := secure.NewReloader(secure.Files{
		Cert: t.CertFile, Key: t.KeyFile, ClientCA: t.ClientCAFile, TicketKeys: t.TicketKeysFile, Base: base, Every: t.Reload, Now: t.Now,
		Report: func(err error) { reloaded(log, err) },
	})
	if err != nil {
		return nil, nil, fmt.Errorf("roost: TLS: %w", err)
	}
	return r.Config(), []Service{r}, nil
}

// validate reports all contradictions at once.
func (t *TLS) validate() error {
	var errs []error
	if (t.CertFile == "") != (t.KeyFile == "") {
		errs = append(errs, errors.New("roost: TLS.CertFile and TLS.KeyFile go together: set both, or neither and Config"))
	}
	if t.CertFile == "" && t.Config == nil {
		errs = append(errs, errors.New("roost: TLS has no certificate: set CertFile and KeyFile, or Config"))
	}
	if t.ClientCAFile != "" && t.CertFile == "" {
		errs = append(errs, errors.New("roost: TLS.ClientCAFile needs CertFile; with Config alone, set its ClientCAs and ClientAuth"))
	}
	if t.TicketKeysFile != "" && t.CertFile == "" {
		errs = append(errs, errors.New("roost: TLS.TicketKeysFile needs CertFile; with Config alone, call its SetSessionTicketKeys"))
	}
	if least := t.least(); least < tls.VersionTLS12 {
		errs = append(errs, fmt.Errorf("roost: TLS.MinVersion, or that of its Config, is %s, which is broken (RFC 8996): leave it 0, or set tls.VersionTLS12", tls.VersionName(least)))
	}
	if t.Handshakes < 0 || t.Computing < 0 {
		errs = append(errs, fmt.Errorf("roost: TLS.Handshakes is %d and TLS.Computing %d: they cannot be negative; leave them 0 for the default", t.Handshakes, t.Computing))
	}
	errs = append(errs, notNegative("TLS.Reload", t.Reload), notNegative("TLS.HandshakeTimeout", t.HandshakeTimeout))
	if t.Config != nil && slices.Contains(t.Config.NextProtos, "h2") {
		errs = append(errs, errors.New("roost: TLS.Config.NextProtos has h2, which this server does not speak: WebSocket needs HTTP/1.1; leave NextProtos empty"))
	}
	return errors.Join(errs...)
}

// least is the oldest version that is spoken.
func (t *TLS) least() uint16 {
	if t.MinVersion == 0 && t.Config != nil {
		return cmp.Or(t.Config.MinVersion, tls.VersionTLS13)
	}
	return cmp.Or(t.MinVersion, tls.VersionTLS13)
}

// reloaded logs a change of the files.
func reloaded(log *slog.Logger, err error) {
	if err != nil {
		log.LogAttrs(context.Background(), slog.LevelError, "TLS files have changed, but cannot be used; those before them stay in use. Mend them, and they are read again", slog.Any("error", err))
		return
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, "TLS files have changed and are in use")
}

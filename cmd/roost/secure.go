package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/roostgo/roost"
)

// tlsFlags are what `roost serve` can be told about TLS.
type tlsFlags struct {
	cert, key, clientCA, tickets, least string
	computing                           int
}

func (f *tlsFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.cert, "tls-cert", "", "PEM `file` with the certificate, and those between it and its root; clients then connect with TLS.\n"+
		"It is read again when it changes, as are those below")
	fs.StringVar(&f.key, "tls-key", "", "PEM `file` with the certificate's private key")
	fs.StringVar(&f.clientCA, "tls-client-ca", "", "PEM `file` with the authorities that clients' certificates must come from; default: clients need none")
	fs.StringVar(&f.tickets, "tls-ticket-keys", "", "`file` with the keys of session tickets, a line each as roost secret prints them: servers with the same resume each other's\n"+
		"sessions. The first makes tickets, all are accepted. Default: each process has its own")
	fs.IntVar(&f.computing, "tls-computing", 0, "TLS `handshakes` that compute at once, the others wait; default: half of the processors, at least 1")
	fs.StringVar(&f.least, "tls-min", "1.3", "oldest `version` of TLS that is spoken: 1.2 or 1.3")
}

// settings are for the server; nil is no TLS.
func (f *tlsFlags) settings(every time.Duration, stderr io.Writer) (*roost.TLS, error) {
	least, ok := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[f.least]
	switch {
	case !ok:
		return nil, fmt.Errorf("flag -tls-min: %q is neither 1.2 nor 1.3", f.least)
	case f.computing < 0:
		return nil, fmt.Errorf("flag -tls-computing is %d: no client would get in; leave it out for the default", f.computing)
	case f.cert == "" && f.key == "" && f.clientCA == "" && f.tickets == "":
		return nil, nil //nolint:nilnil // no TLS was asked for
	case f.cert == "" || f.key == "":
		return nil, fmt.Errorf("flags -tls-cert and -tls-key go together: a server with TLS needs both files")
	}
	if f.tickets != "" {
		_, exposed, err := private(f.tickets)
		fmt.Fprint(stderr, exposed)
		if err != nil {
			return nil, fmt.Errorf("flag -tls-ticket-keys: %w", err)
		}
	}
	return &roost.TLS{
		CertFile: f.cert, KeyFile: f.key, ClientCAFile: f.clientCA, TicketKeysFile: f.tickets, MinVersion: least,
		Computing: f.computing, Reload: every, Now: hangups(),
	}, nil
}

// addressed writes a greeting's addresses as clients have to ask for them.
func (f *tlsFlags) addressed(greeting string) string {
	if f.cert == "" {
		return greeting
	}
	return strings.NewReplacer("http://", "https://", "ws://", "wss://").Replace(greeting)
}

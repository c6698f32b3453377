package tlsrecord

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
)

// aside calls a callback of the user's. It may take its time, an authority's
// certificate some seconds and a handshake of the authority: the handshake has no
// place meanwhile, and it is the server's turn, since the client has nothing to do.
func aside[T any](w *witness, callback func() (T, error)) (T, error) {
	had := w.visit.pause()
	w.visit.turn(true)
	got, err := callback()
	if !had { // what comes next waits for the client
		w.visit.turn(false)
		return got, err
	}
	return got, cmp.Or(err, w.visit.enter())
}

// choose asks the user which configuration a client gets, whose own callbacks step
// aside as well.
func (w *witness) choose(config *tls.Config, hello *tls.ClientHelloInfo) (*tls.Config, error) {
	chosen := config
	if get := config.GetConfigForClient; get != nil {
		own, err := aside(w, func() (*tls.Config, error) { return get(hello) })
		if err != nil {
			return nil, err
		}
		chosen = cmp.Or(own, config)
	}
	chosen = chosen.Clone()
	if len(chosen.NextProtos) == 0 {
		chosen.NextProtos = []string{"http/1.1"}
	}
	if get := chosen.GetCertificate; get != nil {
		chosen.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return aside(w, func() (*tls.Certificate, error) { return get(hello) })
		}
	}
	w.verify(chosen)
	return chosen, nil
}

// verify has what looks at clients' certificates step aside.
func (w *witness) verify(chosen *tls.Config) {
	if verify := chosen.VerifyPeerCertificate; verify != nil {
		chosen.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
			_, err := aside(w, func() (struct{}, error) { return struct{}{}, verify(raw, chains) })
			return err
		}
	}
	if verify := chosen.VerifyConnection; verify != nil {
		chosen.VerifyConnection = func(facts tls.ConnectionState) error {
			_, err := aside(w, func() (struct{}, error) { return struct{}{}, verify(facts) })
			return err
		}
	}
}

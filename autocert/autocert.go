// Package autocert gets certificates from Let's Encrypt, or another authority
// that speaks ACME (RFC 8555), when they are needed, and renews them.
//
//	config, err := autocert.New(autocert.Config{Hosts: []string{"roost.example"}, Dir: "/var/lib/roost"})
//	server := &roost.Server{Endpoint: endpoint, Addr: ":443", TLS: &roost.TLS{Config: config}}
//
// The authority asks at port 443 of the host whether it is ours (tls-alpn-01, RFC
// 8737), so that no other port has to be open. By getting a certificate you agree
// to the authority's terms of service.
package autocert

import (
	"crypto/tls"
	"errors"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Config says what for. Hosts and Dir are needed.
type Config struct {
	// Hosts are the names to get certificates for. Clients that ask for others
	// are refused: who could choose would use up the authority's patience.
	Hosts []string

	// Dir is where certificates, and the key of the account, are kept; it is
	// made when it is not there, for its owner only. Without it every start would
	// ask for new ones, which authorities limit to a few a week.
	Dir string

	// Email is where the authority reports trouble. Default: it has none.
	Email string

	// Directory is the URL of the authority. Default: that of Let's Encrypt.
	Directory string
}

// New returns a configuration for roost.TLS, or any other server. The error
// names everything that is missing.
func New(c Config) (*tls.Config, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	m := &autocert.Manager{
		Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.Hosts...), Cache: autocert.DirCache(c.Dir), Email: c.Email,
	}
	if c.Directory != "" {
		m.Client = &acme.Client{DirectoryURL: c.Directory}
	}
	return &tls.Config{
		GetCertificate: m.GetCertificate, NextProtos: []string{"http/1.1", acme.ALPNProto}, MinVersion: tls.VersionTLS13,
	}, nil
}

func (c Config) validate() error {
	var errs []error
	if len(c.Hosts) == 0 {
		errs = append(errs, errors.New("autocert: Hosts is empty: name the hosts to get certificates for"))
	}
	if c.Dir == "" {
		errs = append(errs, errors.New("autocert: Dir is empty: name a directory to keep certificates in"))
	}
	return errors.Join(errs...)
}

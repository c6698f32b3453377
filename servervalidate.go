package roost

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// validate reports all that is impossible at once.
func (s *Server) validate() error {
	var errs []error
	if s.Endpoint == nil {
		errs = append(errs, errors.New("roost: Server.Endpoint is nil: set it to what NewEndpoint returned"))
	}
	if slices.Contains(s.Services, nil) {
		errs = append(errs, errors.New("roost: one of Server.Services is nil: leave it out, or make it before the server runs"))
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{
		{"DrainDelay", s.DrainDelay}, {"ReadHeaderTimeout", s.ReadHeaderTimeout}, {"ReadTimeout", s.ReadTimeout}, {"IdleTimeout", s.IdleTimeout},
	} {
		errs = append(errs, notNegative("Server."+t.name, t.value))
	}
	if s.MaxHeaderBytes < 0 {
		errs = append(errs, fmt.Errorf("roost: Server.MaxHeaderBytes is %d: it cannot be negative; leave it 0 for the default", s.MaxHeaderBytes))
	}
	if err := s.AddressRate.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("roost: Server.AddressRate: %w", err))
	}
	if s.TLS != nil {
		errs = append(errs, s.TLS.validate())
	}
	return errors.Join(errs...)
}

// notNegative explains a time that is.
func notNegative(name string, d time.Duration) error {
	if d >= 0 {
		return nil
	}
	return fmt.Errorf("roost: %s is %v: it cannot be negative; leave it 0 for the default", name, d)
}

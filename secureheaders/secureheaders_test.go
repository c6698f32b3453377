package secureheaders_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/roostgo/roost/secureheaders"
)

func TestAnswersCarryTheHeadersAndAPageItsOwnPolicy(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
	})
	for name, c := range map[string]struct {
		next   http.Handler
		policy string
	}{
		"a page":    {page, "default-src 'self'"},
		"a refusal": {http.NotFoundHandler(), secureheaders.NoContent},
	} {
		rec := httptest.NewRecorder()
		secureheaders.Handler(c.next).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		for header, want := range map[string]string{
			"Content-Security-Policy": c.policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := rec.Result().Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestAnswersOverTLSAskForTLSInFuture(t *testing.T) {
	for name, c := range map[string]struct {
		maxAge time.Duration
		url    string
		want   []string
	}{
		"over TLS":               {180 * 24 * time.Hour, "https://roost.example/", []string{"max-age=15552000"}},
		"without":                {180 * 24 * time.Hour, "http://roost.example/", nil},
		"over TLS, switched off": {0, "https://roost.example/", nil},
	} {
		rec := httptest.NewRecorder()
		secureheaders.TLSOnly(c.maxAge, http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, c.url, nil))
		if got := rec.Result().Header.Values("Strict-Transport-Security"); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

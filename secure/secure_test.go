package secure_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/roostgo/roost/secure"
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
		"a refusal": {http.NotFoundHandler(), secure.NoContent},
	} {
		rec := httptest.NewRecorder()
		secure.Handler(c.next).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
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

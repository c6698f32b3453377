package playground

import (
	"net/http"

	"github.com/roostgo/roost/secureheaders"
)

// secured adds to every answer, refusals too, what a browser needs to know to distrust the rest.
func secured(next http.Handler) http.Handler {
	return secureheaders.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy)
		next.ServeHTTP(w, r)
	}))
}

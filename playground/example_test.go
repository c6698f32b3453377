package playground_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/roostgo/roost/playground"
)

func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/", playground.Handler(playground.Options{SocketPath: "/live/websocket"}))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

//go:build !race

package tlsrecord

import "testing"

func TestRecordsAreOpenedAndSealedWithoutAllocating(t *testing.T) {
	onEachSuite(t, func(t *testing.T, suite Suite) {
		server, client := pair(t, suite)
		buf := make([]byte, 0, 1000)
		pieces := [][]byte{make([]byte, 100), make([]byte, 200)}
		if n := testing.AllocsPerRun(100, func() {
			sealed := server.cipher.Seal(&server.State, buf, pieces...)
			if _, _, err := client.cipher.Open(&client.State, sealed); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func BenchmarkMakingKeys(b *testing.B) {
	server, _ := pair(b, AES128)
	buf := make([]byte, 0, 1000)
	for b.Loop() {
		server.cipher = Cipher{}
		server.cipher.Seal(&server.State, buf, []byte("hello"))
	}
}

func BenchmarkSealing(b *testing.B) {
	server, _ := pair(b, AES128)
	buf, data := make([]byte, 0, 1000), make([]byte, 150)
	for b.Loop() {
		server.cipher.Seal(&server.State, buf, data)
	}
}

package wire_test

import (
	"strings"
	"testing"

	"github.com/roostgo/roost/wire"
)

func BenchmarkDecode(b *testing.B) {
	for _, c := range frames {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.data)))
			var m wire.Message
			for b.Loop() {
				if err := c.s.Decode(&m, c.binary, c.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeLarge shows how fast the scanner passes over payloads.
func BenchmarkDecodeLarge(b *testing.B) {
	for name, payload := range map[string]string{
		"payload=string":  `{"s":"` + strings.Repeat("All work and no play. ", 3000) + `"}`,
		"payload=escapes": `{"s":"` + strings.Repeat(`line\n\"quoted\" \u00fc `, 3000) + `"}`,
		"payload=numbers": `{"n":[` + strings.Repeat("3.14159,-27,", 6000) + `0]}`,
		"payload=objects": `{"n":[` + strings.Repeat(`{"id":1234,"name":"ada","tags":["a","b"],"ok":true},`, 1500) + `{}]}`,
	} {
		data := []byte(`["3","17","room:lobby","shout",` + payload + `]`)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			var m wire.Message
			for b.Loop() {
				if err := wire.V2().Decode(&m, false, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range sent {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			dst := make([]byte, 0, 1024)
			for b.Loop() {
				if _, _, err := c.s.Encode(dst, &c.m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkClone(b *testing.B) {
	b.ReportAllocs()
	var m, kept wire.Message
	if err := wire.V2().Decode(&m, false, frames[1].data); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		kept = m.Clone()
	}
	_ = kept
}

func BenchmarkMatch(b *testing.B) {
	b.ReportAllocs()
	v := wire.DefaultVersions()
	for b.Loop() {
		if _, err := v.Match("2.0.0"); err != nil {
			b.Fatal(err)
		}
	}
}

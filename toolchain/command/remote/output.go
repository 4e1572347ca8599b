package remote

import (
	"bytes"
	"strings"
	"sync"
)

// transcript is what a script printed on both streams, in order of arrival. The streams are
// written concurrently.
type transcript struct {
	mutex sync.Mutex
	text  []byte
}

// stream is what a script printed on one of its streams.
type stream struct {
	both   *transcript
	log    func(line string)
	text   []byte
	logged int // how much of text
}

// Write keeps the data, and logs the lines that it completes.
func (s *stream) Write(data []byte) (int, error) {
	s.both.mutex.Lock()
	s.both.text = append(s.both.text, data...)
	s.both.mutex.Unlock()

	s.text = append(s.text, data...)
	for {
		line, _, complete := bytes.Cut(s.text[s.logged:], []byte("\n"))
		if !complete {
			return len(data), nil
		}
		s.log(asText(line))
		s.logged += len(line) + len("\n")
	}
}

// flush logs the last line where it has no newline.
func (s *stream) flush() {
	if rest := s.text[s.logged:]; len(rest) > 0 {
		s.log(asText(rest))
	}
}

// String returns the text without its final newline.
func (s *stream) String() string {
	return strings.TrimSuffix(asText(s.text), "\n")
}

// asText replaces bytes that aren't UTF-8: the engine's protocol would reject all of the output.
func asText(data []byte) string {
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

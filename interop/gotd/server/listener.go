package main

import (
	"bufio"
	"net"
)

// spoken hands over the connections on which something was said. gotd's transport.Listener waits in Accept for the first bytes of
// each, one connection after the other, and a connection that ends before them ends the server.
type spoken struct {
	net.Listener
	ready chan net.Conn
	ended chan error
}

// buffered is a connection whose first bytes were looked at.
type buffered struct {
	net.Conn
	reader *bufio.Reader
}

func (b buffered) Read(into []byte) (int, error) { return b.reader.Read(into) }

func newSpoken(listener net.Listener) *spoken {
	s := &spoken{Listener: listener, ready: make(chan net.Conn), ended: make(chan error, 1)}
	go s.take()
	return s
}

func (s *spoken) take() {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			s.ended <- err
			return
		}
		go s.listen(conn)
	}
}

// listen waits for as much as gotd needs to know the transport: one byte for abridged, four for all others.
func (s *spoken) listen(conn net.Conn) {
	reader := bufio.NewReader(conn)
	first, err := reader.Peek(1)
	if err == nil && first[0] != 0xef {
		_, err = reader.Peek(4)
	}
	if err != nil {
		conn.Close()
		return
	}
	s.ready <- buffered{Conn: conn, reader: reader}
}

func (s *spoken) Accept() (net.Conn, error) {
	select {
	case conn := <-s.ready:
		return conn, nil
	case err := <-s.ended:
		return nil, err
	}
}

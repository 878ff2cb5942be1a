// Command server runs gotd's own test server on loopback, for a client that makes, binds and uses a temporary key.
//
// It makes an RSA key, writes its public half as PKCS#1, listens on a free port of 127.0.0.1 and prints where. Each thing that
// happens is a JSON line in EVENT-LOG. It serves until SIGTERM or SIGINT, then ends with exit code 0. Exit code 1: it cannot
// serve; 2: wrong usage.
//
// gotd's server knows no forward secrecy: to it a temporary key is a key like any other, and it has no handler for
// auth.bindTempAuthKey. The one here looks at everything that can be seen without the permanent key, which gotd keeps to
// itself: see [checkBind]. What is inside the encrypted message stays unread.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gotd/log"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/tgtest"
	"github.com/gotd/td/transport"
)

const (
	dc = 2
	// boundMessage is what an encrypted binding message is long: two ids of 8 and 16 bytes, and five blocks of AES.
	boundMessage = 8 + 16 + 5*16
)

func main() {
	obfuscated := len(os.Args) == 4 && os.Args[3] == "obfuscated"
	if len(os.Args) != 3 && !obfuscated {
		fmt.Fprintln(os.Stderr, "usage: server PUBLIC-KEY.pem EVENT-LOG [obfuscated]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], obfuscated); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(publicPath, eventsPath string, obfuscated bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	file, err := os.Create(eventsPath)
	if err != nil {
		return err
	}
	defer file.Close()
	key, err := makeKey(publicPath)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())

	events := &eventLog{out: json.NewEncoder(file)}
	address := listener.Addr().(*net.TCPAddr)
	server := tgtest.NewServer(tgtest.NewPrivateKey(key), handler(events, address), tgtest.ServerOptions{DC: dc, Logger: events})
	if obfuscated {
		listener = transport.ObfuscatedListener(listener)
	}
	if err := server.Serve(ctx, transport.Listen(newSpoken(listener))); ctx.Err() == nil {
		return fmt.Errorf("the server ended by itself: %w", err)
	}
	return nil
}

func makeKey(publicPath string) (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, crypto.RSAKeyBits)
	if err != nil {
		return nil, err
	}
	block := &pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)}
	return key, os.WriteFile(publicPath, pem.EncodeToMemory(block), 0o644)
}

// handler answers the three calls that a client makes here; gotd refuses anything else with INPUT_METHOD_INVALID.
func handler(events *eventLog, address *net.TCPAddr) tgtest.Handler {
	config := &tg.Config{
		Date:      int(time.Now().Unix()),
		Expires:   int(time.Now().Add(time.Hour).Unix()),
		ThisDC:    dc,
		DCOptions: []tg.DCOption{{ID: dc, IPAddress: address.IP.String(), Port: address.Port}},
	}
	nearest := &tg.NearestDC{Country: "ZZ", ThisDC: dc, NearestDC: dc}

	calls := tgtest.NewDispatcher()
	calls.HandleFunc(tg.AuthBindTempAuthKeyRequestTypeID, func(server *tgtest.Server, req *tgtest.Request) error {
		return bind(events, server, req)
	})
	calls.HandleFunc(tg.HelpGetConfigRequestTypeID, func(server *tgtest.Server, req *tgtest.Request) error {
		events.call("help.getConfig", req)
		return server.SendResult(req, config)
	})
	calls.HandleFunc(tg.HelpGetNearestDCRequestTypeID, func(server *tgtest.Server, req *tgtest.Request) error {
		events.call("help.getNearestDc", req)
		return server.SendResult(req, nearest)
	})
	calls.Fallback(tgtest.HandlerFunc(func(_ *tgtest.Server, req *tgtest.Request) error {
		return refuseUnknown(events, req)
	}))
	return tgtest.UnpackInvoke(calls)
}

func bind(events *eventLog, server *tgtest.Server, req *tgtest.Request) error {
	var call tg.AuthBindTempAuthKeyRequest
	if err := call.Decode(req.Buf); err != nil {
		return err
	}
	temp := req.Session.AuthKey.IntID()
	if err := checkBind(&call, temp, time.Now()); err != nil {
		events.write("bind_refused", fields{"key_id": keyID(temp), "error": err.Error()})
		return tgerr.New(400, "ENCRYPTED_MESSAGE_INVALID")
	}
	events.write("bound", fields{"temp_key_id": keyID(temp), "perm_key_id": keyID(call.PermAuthKeyID)})
	return server.SendBool(req, true)
}

// checkBind looks at what a binding shows without the permanent key.
func checkBind(call *tg.AuthBindTempAuthKeyRequest, temp int64, now time.Time) error {
	message := call.EncryptedMessage
	switch {
	case len(message) != boundMessage:
		return fmt.Errorf("the encrypted message has %d bytes, not %d", len(message), boundMessage)
	case int64(binary.LittleEndian.Uint64(message)) != call.PermAuthKeyID:
		return fmt.Errorf("the encrypted message is not under the permanent key %s", keyID(call.PermAuthKeyID))
	case call.PermAuthKeyID == temp:
		return fmt.Errorf("the binding came under the permanent key itself")
	case int64(call.ExpiresAt) <= now.Unix():
		return fmt.Errorf("expires_at %d is past", call.ExpiresAt)
	}
	return nil
}

// refuseUnknown passes over what needs no answer and refuses calls that nobody here knows.
func refuseUnknown(events *eventLog, req *tgtest.Request) error {
	id, err := req.Buf.PeekID()
	if err != nil {
		return err
	}
	if id == msgsAck {
		return nil
	}
	method := fmt.Sprintf("%08x", id)
	events.write("call_refused", fields{"method": method, "key_id": keyID(req.Session.AuthKey.IntID())})
	return tgerr.New(400, "INPUT_METHOD_INVALID_"+method)
}

// msgsAck is the constructor of msgs_ack, which gotd hands to the handler of calls.
const msgsAck = 0x62d6b459

// keyID writes the id of a key as the command line of dayfly does.
func keyID(id int64) string { return fmt.Sprintf("%016x", uint64(id)) }

type fields map[string]any

// eventLog writes JSON lines. It is gotd's logger too: only there does gotd say that it has made a key.
type eventLog struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (l *eventLog) write(event string, values fields) {
	line := fields{"event": event}
	for name, value := range values {
		line[name] = value
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.out.Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, "the event log cannot be written:", err)
	}
}

func (l *eventLog) call(method string, req *tgtest.Request) {
	l.write("call", fields{"method": method, "key_id": keyID(req.Session.AuthKey.IntID())})
}

// Enabled implements [log.Logger].
func (l *eventLog) Enabled(context.Context, log.Level) bool { return true }

// Log implements [log.Logger].
func (l *eventLog) Log(_ context.Context, level log.Level, message string, attributes ...log.Attr) {
	if message == "Sending DhGenOk" {
		l.write("key_created", nil)
	}
	if level >= log.LevelInfo || os.Getenv("GOTD_DEBUG") != "" {
		fmt.Fprintln(os.Stderr, message, attributes)
	}
}

// Command client connects gotd, with its forward secrecy on, to one server, which makes it create a permanent and a temporary
// key and bind them, then calls help.getConfig and help.getNearestDc. One JSON object a line on stdout. Exit code 0: both
// calls were answered; 1: they were not, the last line says why; 2: wrong usage.
//
// With --stay it keeps gotd's own way of reconnecting, and calls both in turn, each again until it is answered, without end:
// for `dayfly check client`.
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/gotd/log"
	"github.com/gotd/log/logslog"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/transport"
)

const (
	usage  = "usage: client [--stay] HOST:PORT PUBLIC-KEY.pem [TRANSPORT [SECONDS]]"
	dc     = 2
	breath = 100 * time.Millisecond
)

// transports are all that gotd speaks over TCP without a proxy.
var transports = map[string]dcs.PlainOptions{
	"abridged":                {Protocol: transport.Abridged},
	"intermediate":            {Protocol: transport.Intermediate},
	"padded":                  {Protocol: transport.PaddedIntermediate},
	"full":                    {Protocol: transport.Full},
	"obfuscated-abridged":     {Protocol: transport.Abridged, Obfuscated: true},
	"obfuscated-intermediate": {Protocol: transport.Intermediate, Obfuscated: true},
	"obfuscated-padded":       {Protocol: transport.PaddedIntermediate, Obfuscated: true},
}

type settings struct {
	host    string
	port    int
	pem     string
	plain   dcs.PlainOptions
	timeout time.Duration
	stay    bool
}

func main() {
	s, err := parse(os.Args[1:])
	if err != nil {
		names := slices.Sorted(maps.Keys(transports))
		fmt.Fprintf(os.Stderr, "%v\n%s\ntransports: %s\n", err, usage, strings.Join(names, ", "))
		os.Exit(2)
	}
	if err := drive(s); err != nil {
		say("failed", map[string]any{"reason": err.Error()})
		os.Exit(1)
	}
	say("done", nil)
}

func parse(words []string) (settings, error) {
	stay := len(words) > 0 && words[0] == "--stay"
	if stay {
		words = words[1:]
	}
	if len(words) < 2 || len(words) > 4 {
		return settings{}, errors.New("two to four arguments")
	}
	words = append(words, []string{"intermediate", "60"}[len(words)-2:]...)
	host, portText, err := net.SplitHostPort(words[0])
	if err != nil {
		return settings{}, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return settings{}, err
	}
	plain, known := transports[words[2]]
	seconds, err := strconv.ParseFloat(words[3], 64)
	if !known || err != nil || seconds <= 0 {
		return settings{}, fmt.Errorf("transport %q, seconds %q", words[2], words[3])
	}
	timeout := time.Duration(seconds * float64(time.Second))
	return settings{host: host, port: port, pem: words[1], plain: plain, timeout: timeout, stay: stay}, nil
}

func drive(s settings) error {
	key, err := readKey(s.pem)
	if err != nil {
		return err
	}
	say("trusted", map[string]any{"fingerprint": fmt.Sprintf("%016x", uint64(key.Fingerprint()))})
	ctx, cancel := context.WithTimeoutCause(context.Background(), s.timeout, fmt.Errorf("no result within %v", s.timeout))
	defer cancel()

	client := newClient(s, key)
	if s.stay {
		return client.Run(context.Background(), func(ctx context.Context) error { return stay(ctx, client.API()) })
	}
	err = client.Run(ctx, func(ctx context.Context) error { return call(ctx, client.API()) })
	if err != nil && ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
}

func readKey(path string) (telegram.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return telegram.PublicKey{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return telegram.PublicKey{}, fmt.Errorf("%s is no PEM", path)
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	return telegram.PublicKey{RSA: key}, err
}

func newClient(s settings, key telegram.PublicKey) *telegram.Client {
	options := telegram.Options{
		EnablePFS:  true,
		PublicKeys: []telegram.PublicKey{key},
		DC:         dc,
		DCList:     dcs.List{Options: []tg.DCOption{{ID: dc, IPAddress: s.host, Port: s.port}}},
		Resolver:   dcs.Plain(s.plain),
		NoUpdates:  true,
		Logger:     logger(),
	}
	if !s.stay {
		// Once: a server that does not answer is a result, not something to wait for.
		options.ReconnectionBackoff = func() backoff.BackOff { return &backoff.StopBackOff{} }
	}
	return telegram.NewClient(1, strings.Repeat("0", 32), options)
}

// logger shows everything that gotd does when GOTD_DEBUG is set, and its warnings when it is not.
func logger() log.Logger {
	level := slog.LevelWarn
	if os.Getenv("GOTD_DEBUG") != "" {
		level = slog.LevelDebug
	}
	return logslog.New(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}

func call(ctx context.Context, api *tg.Client) error {
	config, err := api.HelpGetConfig(ctx)
	if err != nil {
		return fmt.Errorf("help.getConfig: %w", err)
	}
	say("result", map[string]any{"method": "help.getConfig", "dc": config.ThisDC, "dcOptions": len(config.DCOptions)})
	nearest, err := api.HelpGetNearestDC(ctx)
	if err != nil {
		return fmt.Errorf("help.getNearestDc: %w", err)
	}
	say("result", map[string]any{"method": "help.getNearestDc", "dc": nearest.ThisDC, "nearest": nearest.NearestDC})
	return nil
}

// stay calls until the context ends.
func stay(ctx context.Context, api *tg.Client) error {
	calls := []func() error{
		func() error { _, err := api.HelpGetConfig(ctx); return err },
		func() error { _, err := api.HelpGetNearestDC(ctx); return err },
	}
	for turn := 0; ctx.Err() == nil; {
		if err := calls[turn%len(calls)](); err == nil {
			turn++
		}
		time.Sleep(breath)
	}
	return ctx.Err()
}

func say(event string, fields map[string]any) {
	line := map[string]any{"event": event}
	maps.Copy(line, fields)
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err) // stdout is gone: nobody is left to tell
	}
}

package main

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/gotd/td/tg"
)

const (
	permanent = int64(-7)
	temporary = int64(9)
)

var now = time.Unix(1_800_000_000, 0)

func binding() *tg.AuthBindTempAuthKeyRequest {
	message := make([]byte, boundMessage)
	perm := permanent
	binary.LittleEndian.PutUint64(message, uint64(perm))
	return &tg.AuthBindTempAuthKeyRequest{
		PermAuthKeyID:    permanent,
		ExpiresAt:        int(now.Unix()) + 1,
		EncryptedMessage: message,
	}
}

func TestABindingAsItShouldBeIsTaken(t *testing.T) {
	if err := checkBind(binding(), temporary, now); err != nil {
		t.Fatal(err)
	}
}

func TestAWrongBindingIsRefused(t *testing.T) {
	wrong := map[string]func(*tg.AuthBindTempAuthKeyRequest){
		"a message that is too short": func(b *tg.AuthBindTempAuthKeyRequest) { b.EncryptedMessage = b.EncryptedMessage[1:] },
		"no message":                  func(b *tg.AuthBindTempAuthKeyRequest) { b.EncryptedMessage = nil },
		"a message under another key": func(b *tg.AuthBindTempAuthKeyRequest) { b.EncryptedMessage[0]++ },
		"another permanent key":       func(b *tg.AuthBindTempAuthKeyRequest) { b.PermAuthKeyID++ },
		"an end that is past":         func(b *tg.AuthBindTempAuthKeyRequest) { b.ExpiresAt-- },
	}
	for name, spoil := range wrong {
		call := binding()
		spoil(call)
		if checkBind(call, temporary, now) == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if checkBind(binding(), permanent, now) == nil {
		t.Error("a binding under the permanent key was taken")
	}
}

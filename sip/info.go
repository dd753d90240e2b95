package sip

import (
	"bytes"
	"fmt"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/roomgate/roomgate/call"
	"github.com/roomgate/roomgate/media"
	"github.com/roomgate/roomgate/media/dtmf"
)

const mediaControl = "application/media_control+xml"

// pictureFastUpdate asks for a picture (RFC 5168 §7.1).
const pictureFastUpdate = `<?xml version="1.0" encoding="utf-8"?>` + "\r\n" +
	`<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>` + "\r\n"

// gotInfo takes keypad digits (three forms of body) and requests for a picture.
func (l *leg) gotInfo(ev gotRequest) {
	kind := mediaType(contentType(ev.req))
	switch {
	case len(ev.req.Body()) == 0: // a keep-alive (RFC 6086 §4.2.2 allows it)
		l.e.respond(ev.tx, ev.req, 200)
	case kind == mediaControl:
		l.e.respond(ev.tx, ev.req, 200)
		if bytes.Contains(ev.req.Body(), []byte("picture_fast_update")) {
			l.Refresh(media.Main)
			l.Refresh(media.Content)
		}
	default:
		digit, _, err := dtmf.ParseInfo(contentType(ev.req), ev.req.Body())
		if err != nil {
			l.e.respond(ev.tx, ev.req, 415, "Accept", accepted)
			return
		}
		l.e.respond(ev.tx, ev.req, 200)
		if l.keys.Press(digit, dtmf.FromSignalling, time.Now()) {
			l.Emit(call.Event{Kind: call.Keypad, Digit: digit})
		}
	}
}

// askPicture asks the far side for a picture by INFO: for those that know no
// RTCP feedback. The session limits how often.
func (l *leg) askPicture() {
	l.transact(l.call, func() *sipgo.Request {
		info := l.newRequest(sipgo.INFO)
		setBody(info, mediaControl, []byte(pictureFastUpdate))
		return info
	}, func(*sipgo.Request, *sipgo.Response, error) {})
}

// sendDigit sends a digit by INFO.
func (l *leg) sendDigit(wish wantDigit) {
	kind, body, err := dtmf.FormatInfo(dtmf.Relay, wish.digit, 160*time.Millisecond)
	if err != nil {
		wish.reply(err)
		return
	}
	l.transact(l.call, func() *sipgo.Request {
		info := l.newRequest(sipgo.INFO)
		setBody(info, kind, body)
		return info
	}, replyTo(wish.reply, "INFO"))
}

// message shows a line of text (RFC 3428) to those that take MESSAGE.
func (l *leg) message(wish wantText) {
	l.transact(l.call, func() *sipgo.Request {
		req := l.newRequest(sipgo.MESSAGE)
		setBody(req, "text/plain;charset=utf-8", []byte(wish.text))
		return req
	}, replyTo(wish.reply, "MESSAGE"))
}

// replyTo tells the gateway the outcome of a request.
func replyTo(reply func(error), method string) func(*sipgo.Request, *sipgo.Response, error) {
	return func(_ *sipgo.Request, res *sipgo.Response, err error) {
		if err == nil && !res.IsSuccess() {
			err = fmt.Errorf("%s refused: %d %s", method, res.StatusCode, res.Reason)
		}
		reply(err)
	}
}

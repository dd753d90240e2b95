# Two commands matter: `make run` and `make test`. Both install what they need.

GO        ?= go
# An eighth less of the processors, for some memory.
COMPILE    = GOGC=400 $(GO)
MODULE     = github.com/roomgate/roomgate
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS    = -X main.version=$(VERSION)
RUN       ?=
FUZZTIME  ?= 10s
SOAKTIME  ?= 10m
SOAKCALL  ?= 1h
CASCADE   ?= 2h
# The slowest first, so that no processor waits for them at the end.
SLOWEST    = ./gateway/bridge ./meeting/livekit ./terminal ./transcode/video ./gateway ./cmd/roomgate ./sip ./h323 ./media/rtpconn ./meeting/embedded
# What only computes, without goroutines or locks (lint looks), the race detector has nothing to
# see in. FIGURES are left out where others use them, too, which costs them up to two thirds of
# their time; what calls them it does see. QUIET are those whose tests share nothing either.
FIGURES    = media/frame media/g7221 media/g729 media/level media/noise media/plc media/resample media/testcard media/tone \
	transcode sip/offer h323/h225 h323/h245 h323/per/internal/tag h323/per/pertest h323/q931
QUIET      = $(FIGURES) transcode/video/wire sip/bfcp h323/alias h323/h235 h323/tpkt \
	media/dtmf media/jitter media/rtpconn/event media/rtpconn/feedback media/rtpconn/pace media/rtpconn/rate media/rtpconn/report \
	directory/calendar directory/number directory/phonebook directory/seal directory/signature \
	gateway/floor gateway/keypad gateway/layout gateway/route
# They wait for nothing by a clock but their own (lint looks): they may take as long as it takes.
CALM       = call call/limit call/local client config/certificate gateway/label gateway/lobby gateway/lobby/prompt gateway/setup \
	h323/callsig h323/control h323/h235/auth h323/h460 h323/internal/golden h323/per h323/ras h323/ras/exchange \
	media/h264 media/mixer media/portpool sip/dialog sip/digest sip/hunt trace transcode/video/engine web
UNIT       = -vet=off -ldflags='-s -w' -timeout 10m
RACE       = -race $(FIGURES:%=-gcflags=$(MODULE)/%=-race=false)
# A program with the race detector waits a second before it ends otherwise: a hundred of them
# do, and all that they start.
export GORACE ?= atexit_sleep_ms=100
WEB        = $(shell git ls-files web 2>/dev/null)

.PHONY: help setup setup-test run build web prompts test unit unit-calm unit-build e2e fuzz bench soak picture lint fmt

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install what building needs (Debian and npm packages)
	@scripts/setup build

setup-test: setup ## also install what the tests need (baresip, sipp, Chromium, ...)
	@scripts/setup test

run: setup build ## build and start; RUN="--config roomgate.yaml" for options
	bin/roomgate serve $(RUN)

build: web prompts ## bin/roomgate and bin/roomgate-video
	$(COMPILE) build -ldflags '$(LDFLAGS)' -o bin/ ./cmd/roomgate ./cmd/roomgate-video

web: ## web/dist
	@scripts/web $(WEB)

prompts: ## what the lobby says, spoken by espeak-ng
	@scripts/prompts

# The end-to-end tests leave a fifth of the processors: the calm ones take it, and then who builds
# those that are not calm.
test: setup-test build lint ## everything: lint, end to end, unit tests with the race detector
	@scripts/beside "$(MAKE) --no-print-directory unit-calm unit-build" $(MAKE) --no-print-directory e2e
	@scripts/unit bin/unit $(SLOWEST)

unit: unit-calm unit-build ## unit tests
	@scripts/unit bin/unit $(SLOWEST)

# A result of before would leave out the program, so there is none (-count 1).
unit-build:
	@rm -rf bin/unit
	@mkdir -p bin/unit
	@said=$$($(COMPILE) test $(RACE) $(UNIT) -count 1 -p 2 -exec "$(CURDIR)/scripts/keep $(CURDIR)/bin/unit" \
		$$($(GO) list ./... | grep -vE '/(e2e|lint)$$' | grep -vxF "$$(printf '$(MODULE)/%s\n' $(CALM) $(QUIET))") 2>&1) || { echo "$$said" >&2; exit 1; }

unit-calm:
	@scripts/gotest $(RACE) $(UNIT) -p 2 -- $(CALM:%=./%)
	@scripts/gotest $(UNIT) -p 2 -- $(QUIET:%=./%)

e2e: build ## end to end, against baresip, sipp, Chromium, LiveKit
	@scripts/e2e

fuzz: ## every fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

bench: build ## speed and memory, as ratios to baselines of the same run
	bin/roomgate bench

soak: build ## a call of an hour (SOAKCALL) among others, two gateways cascaded for two (CASCADE), corrupted video and fuzzing for SOAKTIME a codec and target
	E2E_SOAK=$(SOAKCALL) $(GO) test -count 1 -timeout 24h -v -run TestSoak ./e2e
	E2E_CASCADE=$(CASCADE) $(GO) test -count 1 -timeout 24h -v -run TestCascadeSoak ./e2e
	VIDEO_SOAK=$(SOAKTIME) $(GO) test -count 1 -timeout 24h -v -run TestCorruptedStreams ./transcode/video
	@scripts/fuzz $(SOAKTIME)

picture: build ## docs/meeting.png, of a meeting that is held for it
	E2E_PICTURE=$(CURDIR)/docs/meeting.png $(GO) test -count 1 -run TestPageShows ./e2e

lint: ## formatting, vet, import arrows, file sizes
	@scripts/gofmt
	$(COMPILE) vet ./...
	$(GO) test ./lint

fmt: ## format the Go code
	@gofmt -l -w $$(git ls-files '*.go')

# batten: `make run` shows the main job on a real container, `make test` runs every test.

CARGO   ?= cargo
MUSL    := $(shell uname -m)-unknown-linux-musl
SHIM    := target/$(MUSL)/release/batten-runtime
SUDO    := $(if $(filter-out 0,$(shell id -u)),sudo)
PREFIX  ?= /usr/local
DESTDIR ?=
UNITDIR ?= $(PREFIX)/lib/systemd/system

PACKAGES := build-essential pkg-config libseccomp-dev musl-tools busybox-static runc crun strace jq apparmor patch bpftool

# PROGRAM:PACKAGE, for the engines that `make test-engines` starts. A program that is there is taken, whoever packages it.
ENGINES := containerd:containerd ctr:containerd podman:podman dockerd:docker.io docker:docker.io protoc:protobuf-compiler \
           newuidmap:uidmap ps:procps ip:iproute2

# A mirror that does not answer once, or another apt that is at work, is no reason to fail.
APT := -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300
apt_install = for attempt in 1 2 3; do \
  $(SUDO) apt-get $(APT) update && \
  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get $(APT) install -y --no-install-recommends $(1) && break; \
  [ $$attempt -lt 3 ] || exit 1; sleep 10; done

.PHONY: run test test-workloads test-engines engines test-vm fuzz bench build shim deps lint fmt install clean help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run          a real container twice: as it asks to be, and through batten
run: deps build
	@$(SUDO) examples/side-by-side.sh $(abspath $(SHIM))

## make test         every test that this machine can run: judgement, real containers, the report in a browser
test: PACKAGES += chromium
test: deps build
	BATTEN_RUNTIME=$(abspath $(SHIM)) $(CARGO) test --lib --bins --tests
	$(CARGO) test --doc

## make test-engines batten before Docker, containerd with its CRI, and Podman, each started here and gone afterwards
test-engines: build engines
	$(CARGO) fmt --manifest-path tests/engines/Cargo.toml --check
	$(CARGO) clippy --manifest-path tests/engines/Cargo.toml --target-dir target --all-targets -- -D warnings
	BATTEN=$(abspath target/release/batten) BATTEN_RUNTIME=$(abspath $(SHIM)) \
	  $(CARGO) test --manifest-path tests/engines/Cargo.toml --target-dir target

## make test-workloads  Debian's programs in a container under the default profile, and the calls that it refuses
test-workloads: PACKAGES += mmdebstrap debian-archive-keyring
test-workloads: build
	$(SUDO) tests/workloads/run target/release/batten $(SHIM)

## make test-vm      on a kernel with AppArmor, every runtime and engine, in a virtual machine; T="NAME..." for some
test-vm: deps
	$(if $(T),,tests/vm/selftest/check)
	tests/vm/run $(T)

## make fuzz         every reader on made-up input, a minute each; T="NAME..." for some (cargo-fuzz, a nightly toolchain)
fuzz:
	fuzz/run $(T)

## make bench        what batten costs, against the bare runtime and an exec-only floor
bench: deps build
	$(CARGO) bench

## make build        batten, and the static batten-runtime that engines start
build: shim
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 $(CARGO) build --release --bin batten

shim: deps
	$(CARGO) build --release --no-default-features --bin batten-runtime --target $(MUSL)

## make lint         what CI checks before the tests
lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --no-default-features --lib --bin batten-runtime -- -D warnings
	$(CARGO) check --manifest-path fuzz/Cargo.toml --target-dir target

fmt:
	$(CARGO) fmt

## make install      into $(PREFIX), for root: batten, batten-runtime and the unit that loads AppArmor profiles
install: build
	install -D -m 0755 target/release/batten $(DESTDIR)$(PREFIX)/bin/batten
	install -D -m 0755 $(SHIM) $(DESTDIR)$(PREFIX)/bin/batten-runtime
	install -D -m 0644 hooks/systemd/batten-apparmor.service $(DESTDIR)$(UNITDIR)/batten-apparmor.service
	sed -i 's,/usr/local/bin/,$(PREFIX)/bin/,' $(DESTDIR)$(UNITDIR)/batten-apparmor.service

# Debian and Ubuntu; elsewhere install the same by hand. Nothing is asked when all is there.
deps:
	@missing=""; for package in $(PACKAGES); do \
	  dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; $(call apt_install,$$missing); fi
	@rustup target list --installed | grep -qx $(MUSL) || rustup target add $(MUSL)

# Never in place of another package: who has Docker's own docker-ce keeps it.
engines:
	@missing=""; for pair in $(ENGINES); do PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v $${pair%:*} >/dev/null || \
	  missing="$$missing $${pair#*:}"; done; \
	if [ -n "$$missing" ]; then echo "installing$$missing"; $(call apt_install,--no-remove $$missing); fi

clean:
	$(CARGO) clean

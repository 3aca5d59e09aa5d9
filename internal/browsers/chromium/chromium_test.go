//go:build unix

// Package chromium shows whether Chromium is installed. See browsers.Main.
package chromium

import (
	"testing"

	"github.com/f407da42/cors/internal/browsers"
)

func TestMain(m *testing.M) { browsers.Main(m, browsers.Chromium) }

func TestStart(t *testing.T) { browsers.TestStart(t, browsers.Chromium) }

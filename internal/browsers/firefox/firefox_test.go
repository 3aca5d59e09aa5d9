//go:build unix

// Package firefox shows whether Firefox is installed. See browsers.Main.
package firefox

import (
	"testing"

	"github.com/f407da42/cors/internal/browsers"
)

func TestMain(m *testing.M) { browsers.Main(m, browsers.Firefox) }

func TestStart(t *testing.T) { browsers.TestStart(t, browsers.Firefox) }

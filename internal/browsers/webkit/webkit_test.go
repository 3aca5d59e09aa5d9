//go:build unix

// Package webkit shows whether WebKit is installed. See browsers.Main.
package webkit

import (
	"testing"

	"github.com/f407da42/cors/internal/browsers"
)

func TestMain(m *testing.M) { browsers.Main(m, browsers.WebKit) }

func TestStart(t *testing.T) { browsers.TestStart(t, browsers.WebKit) }

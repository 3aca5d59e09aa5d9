module github.com/f407da42/cors

go 1.25

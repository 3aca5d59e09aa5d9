//go:build unix

package clients

import "github.com/f407da42/cors"

var s3PresignedPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{"PUT"},
	AllowedHeaders: []string{"Content-Type"},
	ExposedHeaders: []string{"Etag"},
}

var s3Presigned = recipe{
	name:    "S3 with presigned URLs",
	file:    "s3presigned",
	policy:  s3PresignedPolicy,
	handler: bucket,
	fails: map[entry]string{
		{"AllowedMethods", "PUT"}:          "put",
		{"AllowedHeaders", "Content-Type"}: "put a file",
		{"ExposedHeaders", "Etag"}:         "put a part",
	},
	preflights: 10,
}

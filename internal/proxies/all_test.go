//go:build unix

package proxies

// variants are the changes to the page's file that the checks need.
type variants struct {
	bare          site  // sets no Host
	rewritten     site  // sets Host to the upstream's
	withoutPort   site  // sets Host without its port
	adds          *site // adds a second Access-Control-Allow-Origin; nil if not possible
	replaces      site  // replaces Access-Control-Allow-Origin by *
	removes       site  // removes Access-Control-Allow-Origin
	removesOrigin site  // removes Origin
	login         site  // demands a password, except for OPTIONS
	cache         *site // caches responses; nil if the proxy has no cache
	ignoresVary   *site // caches responses, and ignores Vary
	byOrigin      *site // like ignoresVary, with Origin in the cache key
}

var all = []*proxy{
	{
		name: "nginx", title: "nginx", program: "nginx", version: "-v", site: "site.conf", errors: "errors.conf", advice: "advice.conf", keys: "cache.conf",
		args:  []string{"-c", "DIR/main.conf", "-e", "stderr"},
		inner: "}",
		listen: edits{
			"listen 80;", "listen 127.0.0.1:HTTP_PORT;",
			"listen 443 ", "listen 127.0.0.1:HTTPS_PORT ",
			"/etc/ssl/api.pem", "DIR/api.pem",
		},
		variants: variants{
			bare:          site{replace: edits{"proxy_set_header   Host       $http_host;", ""}},
			rewritten:     site{replace: edits{"$http_host", "$proxy_host"}},
			withoutPort:   site{replace: edits{"$http_host", "$host"}},
			adds:          &site{inside: "add_header Access-Control-Allow-Origin *;"},
			replaces:      site{inside: "proxy_hide_header Access-Control-Allow-Origin;\nadd_header Access-Control-Allow-Origin *;"},
			removes:       site{inside: "proxy_hide_header Access-Control-Allow-Origin;"},
			removesOrigin: site{replace: edits{"proxy_set_header   Host ", "proxy_set_header Origin '';\nproxy_set_header   Host "}},
			login:         site{replace: edits{"proxy_pass ", "limit_except OPTIONS { auth_basic api; auth_basic_user_file DIR/users; }\nproxy_pass "}},
			cache:         nginxCache(""),
			ignoresVary:   nginxCache("proxy_ignore_headers Vary;"),
			byOrigin:      nginxCache("proxy_ignore_headers Vary;\nproxy_cache_key $scheme$host$request_uri$http_origin;"),
		},
	},
	{
		name: "apache", title: "Apache", program: "apache2", version: "-v", site: "site.conf", errors: "errors.conf", advice: "advice.conf",
		args: []string{"-f", "DIR/main.conf", "-DFOREGROUND"},
		listen: edits{
			"*:443", "*:HTTPS_PORT",
			"/etc/ssl/api.pem", "DIR/api.pem",
		},
		variants: variants{
			bare:          site{replace: edits{"ProxyPreserveHost On\n", ""}},
			rewritten:     site{replace: edits{"ProxyPreserveHost On", "ProxyPreserveHost Off"}},
			withoutPort:   site{inside: "RequestHeader edit Host \":.*\" \"\""},
			adds:          &site{inside: "Header add Access-Control-Allow-Origin \"*\""},
			replaces:      site{inside: "Header set Access-Control-Allow-Origin \"*\""},
			removes:       site{inside: "Header unset Access-Control-Allow-Origin"},
			removesOrigin: site{inside: "RequestHeader unset Origin"},
			login: site{inside: `<Location "/">
    AuthType Basic
    AuthName "api"
    AuthUserFile DIR/users
    <LimitExcept OPTIONS>
        Require valid-user
    </LimitExcept>
</Location>`},
			cache:       &site{outside: apacheCache},
			ignoresVary: &site{outside: apacheCache, inside: "Header unset Vary"},
		},
	},
	{
		name: "haproxy", title: "HAProxy", program: "haproxy", version: "-v", site: "site.conf", errors: "errors.conf", advice: "advice.conf",
		args: []string{"-db", "-f", "DIR/main.conf", "-f", "DIR/site.conf"},
		listen: edits{
			":80\n", "127.0.0.1:HTTP_PORT\n",
			":443 ", "127.0.0.1:HTTPS_PORT ",
			"/etc/ssl/api.pem", "DIR/api.pem",
		},
		variants: variants{
			rewritten:     site{inside: "    http-request set-header Host 127.0.0.1:8080"},
			withoutPort:   site{inside: "    http-request set-header Host %[req.hdr(Host),field(1,:)]"},
			adds:          &site{inside: "    http-response add-header Access-Control-Allow-Origin *"},
			replaces:      site{inside: "    http-response set-header Access-Control-Allow-Origin *"},
			removes:       site{inside: "    http-response del-header Access-Control-Allow-Origin"},
			removesOrigin: site{inside: "    http-request del-header Origin"},
			login: site{
				inside:  "    http-request auth unless { http_auth(people) } or { method OPTIONS }",
				outside: "userlist people\n    user user insecure-password secret",
			},
			cache:       &site{inside: haproxyUses, outside: haproxyCache},
			ignoresVary: &site{inside: "    http-response del-header Vary\n" + haproxyUses, outside: haproxyCache},
		},
	},
	{
		name: "varnish", title: "Varnish", program: "varnishd", version: "-V", site: "site.vcl", errors: "errors.vcl", advice: "advice.vcl", keys: "cache.vcl", plain: true,
		args: []string{"-F", "-n", "DIR/work", "-f", "DIR/site.vcl", "-a", "127.0.0.1:HTTP_PORT", "-s", "malloc,16m", "-j", "none", "-p", "cc_command=exec gcc -fpic -shared -o %o %s"},
		variants: variants{
			rewritten:     inRecv("set req.http.Host = \"127.0.0.1:8080\";"),
			withoutPort:   inRecv("set req.http.Host = regsub(req.http.Host, \":.*\", \"\");"),
			replaces:      site{outside: "sub vcl_deliver { set resp.http.Access-Control-Allow-Origin = \"*\"; }"},
			removes:       site{outside: "sub vcl_deliver { unset resp.http.Access-Control-Allow-Origin; }"},
			removesOrigin: inRecv("unset req.http.Origin;"),
			login:         inRecv(`if (req.method != "OPTIONS" && req.http.Authorization != "Basic dXNlcjpzZWNyZXQ=") { return (synth(401)); }`),
			cache:         &site{},
			ignoresVary:   &site{outside: varnishUnsets},
			byOrigin:      &site{outside: varnishUnsets + "sub vcl_hash { hash_data(req.http.Origin); }"},
		},
	},
	{
		name: "caddy", title: "Caddy", program: "caddy", version: "version", site: "site.conf", errors: "errors.conf", advice: "advice.conf",
		args:  []string{"run", "--config", "DIR/main.conf", "--adapter", "caddyfile"},
		inner: "}",
		listen: edits{
			"api.example.com {", "(site) {", // which main.conf imports twice
		},
		variants: variants{
			rewritten:     inCaddy("header_up Host {upstream_hostport}"),
			withoutPort:   inCaddy("header_up Host {host}"),
			adds:          ptr(inCaddy("header_down +Access-Control-Allow-Origin *")),
			replaces:      inCaddy("header_down Access-Control-Allow-Origin *"),
			removes:       inCaddy("header_down -Access-Control-Allow-Origin"),
			removesOrigin: inCaddy("header_up -Origin"),
			login:         site{inside: "@login not method OPTIONS\nbasicauth @login {\nuser $2y$04$qvUoglMeZ.4ycZiH2qNF2e2.xvI017JT7klLfFizAaj2d.KjCMyJu\n}"},
		},
	},
}

// nginxCache adds a cache. nginx stores only responses that it buffers.
func nginxCache(inside string) *site {
	return &site{
		replace: edits{"proxy_buffering    off; # for server-sent events", "proxy_cache api;\nproxy_cache_revalidate on;"},
		inside:  inside,
		outside: "proxy_cache_path DIR/cache keys_zone=api:1m;",
	}
}

const apacheCache = `
CacheRoot DIR/cache
CacheEnable disk "/"
`

const (
	haproxyUses  = "    http-request cache-use api\n    http-response cache-store api"
	haproxyCache = "cache api\n    total-max-size 4\n    max-age 60\n    process-vary on"
)

const varnishUnsets = "sub vcl_backend_response { unset beresp.http.Vary; }\n"

// inRecv adds a line to the beginning of vcl_recv.
func inRecv(line string) site {
	return site{replace: edits{"sub vcl_recv {", "sub vcl_recv {\n" + line}}
}

// inCaddy adds a line to the upstream's block.
func inCaddy(line string) site {
	const upstream = "reverse_proxy 127.0.0.1:8080"
	return site{replace: edits{upstream, upstream + " {\n" + line + "\n}"}}
}

func ptr(s site) *site { return &s }

import std;

backend down {
    .host = "127.0.0.1";
    .port = "1";
}

sub vcl_recv {
    if (req.url ~ "^/advice/no-origin/") {
        unset req.http.Origin;
    }
    if (req.url ~ "^/advice/options/" && req.method == "OPTIONS") {
        return (synth(204));
    }
    if (req.url ~ "^/advice/closed/") {
        return (synth(403));
    }
    if (req.url ~ "^/advice/size/" && std.integer(req.http.Content-Length, 0) > 1) {
        return (synth(413));
    }
    if (req.url ~ "^/advice/down/") {
        set req.backend_hint = down;
    }
}

sub vcl_backend_response {
    if (bereq.url ~ "^/advice/no-vary/") {
        unset beresp.http.Vary;
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
    if (req.url ~ "^/advice/star/") {
        set resp.http.Access-Control-Allow-Origin = "*";
    }
    if (req.url ~ "^/advice/variable/") {
        set resp.http.Access-Control-Allow-Origin = req.http.X-Nothing;
    }
}

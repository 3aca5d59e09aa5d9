import std;

sub vcl_recv {
    if (std.integer(req.http.Content-Length, 0) > 1048576) {
        return (synth(413));
    }
}

sub vcl_synth {
    set resp.http.Vary = "Origin";
    if (req.http.Origin ~ "^https://(app|admin)\.example\.com$") {
        set resp.http.Access-Control-Allow-Origin = req.http.Origin;
        set resp.http.Access-Control-Allow-Credentials = "true";
    }
}

sub vcl_backend_error {
    set beresp.http.Vary = "Origin";
    if (bereq.http.Origin ~ "^https://(app|admin)\.example\.com$") {
        set beresp.http.Access-Control-Allow-Origin = bereq.http.Origin;
        set beresp.http.Access-Control-Allow-Credentials = "true";
    }
}

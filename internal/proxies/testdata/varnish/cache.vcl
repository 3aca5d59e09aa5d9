sub vcl_hash {
    if (req.http.Origin ~ "^https://(app|admin)\.example\.com$") {
        hash_data(req.http.Origin);
    }
}

# It honours the origin's Cache-Control. What may not be stored is remembered as hit-for-pass: the
# built-in hit-for-miss leaves an object behind at every request, and each look-up walks past all.
vcl 4.1;

backend default {
  .host = "127.0.0.1";
  .port = "@ORIGIN@";
}

sub vcl_backend_response {
  if (beresp.http.Cache-Control ~ "private|no-store") {
    return (pass(120s));
  }
}

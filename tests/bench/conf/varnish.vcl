# Built-in behaviour: it honours the origin's Cache-Control and remembers what may not be stored.
vcl 4.1;

backend default {
  .host = "127.0.0.1";
  .port = "@ORIGIN@";
}

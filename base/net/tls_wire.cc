#include "base/net/tls_wire.h"

#include <openssl/bio.h>

#include "base/check.h"

namespace weir {
namespace {

TlsWire& wire_of(BIO* bio) {
  return *static_cast<TlsWire*>(BIO_get_data(bio));
}

// What a BIO returns: how many bytes, or none.
int told(const IoResult& result) {
  return result.status == IoStatus::Ok ? static_cast<int>(result.bytes) : -1;
}

int read_bio(BIO* bio, char* into, int size) {
  TlsWire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  const IoResult got = wire.socket->read({into, static_cast<std::size_t>(size)});
  if (got.status == IoStatus::WouldBlock) BIO_set_retry_read(bio);
  if (got.status != IoStatus::Closed) return told(got);
  wire.ended = true;
  return 0;
}

int write_bio(BIO* bio, const char* from, int size) {
  TlsWire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  const iovec part{const_cast<char*>(from), static_cast<std::size_t>(size)};
  const IoResult sent = wire.socket->write(std::span(&part, 1));
  wire.last_write = sent.status;
  if (sent.status == IoStatus::WouldBlock) BIO_set_retry_write(bio);
  return told(sent);
}

long control_bio(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;  // nothing is kept here
  if (command == BIO_CTRL_EOF) return wire_of(bio).ended ? 1 : 0;
  return 0;
}

const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    WEIR_CHECK(made != nullptr);
    BIO_meth_set_read(made, read_bio);
    BIO_meth_set_write(made, write_bio);
    BIO_meth_set_ctrl(made, control_bio);
    return made;
  }();
  return method;
}

}  // namespace

BIO* make_wire_bio(TlsWire& wire) {
  BIO* const bio = BIO_new(wire_method());
  if (!bio) return nullptr;
  BIO_set_data(bio, &wire);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace weir

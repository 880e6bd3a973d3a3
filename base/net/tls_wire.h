// What OpenSSL reads from and writes to: a plain Connection. Loop thread only.
#pragma once

#include "base/net/connection.h"

struct bio_st;

namespace weir {

// Outlives the BIO.
struct TlsWire {
  std::unique_ptr<Connection> socket;
  bool ended = false;                  // the peer sends no more
  IoStatus last_write = IoStatus::Ok;  // of the last one
};

// Null where there is no memory.
bio_st* make_wire_bio(TlsWire& wire);

}  // namespace weir

// What a reader of a far body has got, as a source tells it.
#pragma once

#include <cstdint>
#include <span>

#include "backends/far_body.h"
#include "proxy/front/exchange.h"

namespace weir::front {

// No more than `most` bytes, of which the last are the last of all if `ends`. `parts` is not empty.
inline BodySource::Pull far_pull(const backends::FarReader::Got& got, std::uint64_t most, bool ends,
                                 std::span<iovec> parts) {
  using Status = BodySource::Status;
  switch (got.status) {
    case backends::FarReader::Status::Pending:
      return {Status::Pending};
    case backends::FarReader::Status::Failed:
      return {Status::Failed};
    case backends::FarReader::Status::Data:
      break;
  }
  const std::string_view bytes = got.bytes.substr(0, most);
  parts[0] = {const_cast<char*>(bytes.data()), bytes.size()};
  return {Status::Data, 1, bytes.size(), ends && bytes.size() == most};
}

}  // namespace weir::front

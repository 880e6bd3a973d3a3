#include "cachekeys/key.h"

#include "base/check.h"

namespace weir::keys {

void KeyBuffer::close_field(std::size_t opened) {
  WEIR_CHECK(opened > 0 && opened <= bytes_.size());
  std::uint64_t size = bytes_.size() - opened;
  std::size_t at = opened - 1;
  if (size >= 0x80) {  // more than the one byte kept free: make room before the field
    std::size_t more = 0;
    for (std::uint64_t rest = size >> 7; rest != 0; rest >>= 7) ++more;
    bytes_.insert(opened, more, '\0');
  }
  for (; size >= 0x80; size >>= 7) bytes_[at++] = static_cast<char>(size | 0x80);
  bytes_[at] = static_cast<char>(size);
}

}  // namespace weir::keys

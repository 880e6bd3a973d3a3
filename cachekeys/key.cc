#include "cachekeys/key.h"

#include "base/check.h"

namespace weir::keys {

// Its length takes more than the one byte kept free: room is made before the field.
void KeyBuffer::close_long_field(std::size_t opened) {
  WEIR_CHECK(opened > 0 && opened <= bytes_.size());
  std::uint64_t size = bytes_.size() - opened;
  std::size_t at = opened - 1;
  std::size_t more = 0;
  for (std::uint64_t rest = size >> 7; rest != 0; rest >>= 7) ++more;
  bytes_.insert(opened, more, '\0');
  for (; size >= 0x80; size >>= 7) bytes_[at++] = static_cast<char>(size | 0x80);
  bytes_[at] = static_cast<char>(size);
}

}  // namespace weir::keys

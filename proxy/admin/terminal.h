// A terminal that is drawn on: a screen of its own while this lives, no echo, keys as they come.
// As it was when this goes. One thread.
#pragma once

#include <termios.h>

#include <string>
#include <string_view>

#include "proxy/admin/top_view.h"

namespace weir::admin {

class Terminal {
 public:
  // Whether stdin and stdout both are one.
  static bool is_there();
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  int keys() const;  // to read from
  ViewSize size() const;
  // In the place of what was shown before. Lines, each with its end.
  void show(std::string_view lines) const;

 private:
  termios before_{};
};

}  // namespace weir::admin

// What the scripted origin answers: a head, then steps. A value; copies share the bodies' bytes.
//
//   Reply(200).header("Cache-Control", "max-age=60").body("x")
//   Reply(200).chunked().part("first").gate(g).part("second")
//   Reply(200).length(10).part("12345").reset()
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/message.h"

namespace weir::test {

class Reply {
 public:
  explicit Reply(int status = 200) : status_(status) {}
  // These bytes instead of a head; parts follow as they are.
  static Reply raw(std::string bytes);

  Reply& header(std::string name, std::string value);
  Reply& body(std::string bytes);          // with its Content-Length
  Reply& length(std::uint64_t announced);  // for a body given in parts
  Reply& chunked();
  Reply& until_close();  // no framing; the connection's end ends it

  Reply& gate_head(Gate gate);      // held back before the head
  Reply& gate(Gate gate);           // held back here
  Reply& part(std::string bytes);   // a chunk when chunked
  Reply& bytes(std::string bytes);  // as they are, even when chunked
  Reply& echo();                    // sends back whatever comes, until the peer ends
  Reply& close();                   // here, whatever was announced
  Reply& reset();                   // the same with a RST
  Reply& hang();                    // says nothing more, until the peer goes away

  Reply& drip();  // a byte now and then, until the peer goes away

  struct Send {
    std::shared_ptr<const std::string> bytes;
    bool as_chunk;
  };
  struct Wait {
    Gate gate;
  };
  struct Echo {};
  enum class End { Close, Reset, Hang, Drip };
  using Step = std::variant<Send, Wait, Echo, End>;

  const std::vector<Gate>& head_gates() const { return head_gates_; }
  std::string head() const;
  const std::vector<Step>& steps() const { return steps_; }
  bool is_raw() const { return status_ == 0; }
  bool is_chunked() const { return framing_ == Framing::Chunked; }
  bool closes() const { return framing_ == Framing::UntilClose; }

 private:
  int status_;
  std::string raw_head_;
  Fields fields_;
  Framing framing_ = Framing::None;
  std::uint64_t length_ = 0;
  std::vector<Gate> head_gates_;
  std::vector<Step> steps_;
};

}  // namespace weir::test

#include "conf/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace weir::conf {
namespace {

Place to_place(const YAML::Mark& mark) {
  if (mark.is_null()) return {1, 1};
  return {mark.line + 1, mark.column + 1};
}

// What is wrong, in the same words whichever version of the parser found it: from 0.8 on it adds
// the alias's name to this one.
std::string words_of(const YAML::Exception& fault) {
  constexpr std::string_view kUnknown = "the referenced anchor is not defined";
  return fault.msg.starts_with(kUnknown) ? std::string(kUnknown) : fault.msg;
}

Place place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is the text's begin
  return {static_cast<int>(std::ranges::count(before, '\n')) + 1,
          static_cast<int>(at - line_begin) + 1};
}

// Builds the tree from the parser's events. Faults leave as the parser's own exception, which is
// made for that and is caught by parse_document().
class Builder : public YAML::EventHandler {
 public:
  NodeRef root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document in one file");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, make(mark, DocumentNode::Kind::Null), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (expects_key()) {
      open_.back().key = DocumentNode::Entry{value, to_place(mark), nullptr};
      return;
    }
    auto node = make(mark, DocumentNode::Kind::Scalar);
    node->text = value;
    add(mark, std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "an alias within what it names");
    add(mark, found->second, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, DocumentNode::Kind::List);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, DocumentNode::Kind::Map);
  }
  void OnMapEnd() override {
    merge(*open_.back().node);
    close();
  }

 private:
  struct Open {
    std::shared_ptr<DocumentNode> node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::optional<DocumentNode::Entry> key;  // of a map, read and waiting for its value
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& message) {
    throw YAML::ParserException(mark, message);
  }
  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    const bool known =
        tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
    if (!known) refuse(mark, "a tag of an unknown kind");
  }
  static std::shared_ptr<DocumentNode> make(const YAML::Mark& mark, DocumentNode::Kind kind) {
    auto node = std::make_shared<DocumentNode>();
    node->kind = kind;
    node->place = to_place(mark);
    return node;
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node->kind == DocumentNode::Kind::Map &&
           !open_.back().key;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            DocumentNode::Kind kind) {
    check_tag(mark, tag);
    if (expects_key()) refuse(mark, "a key that is not a word");
    if (open_.size() >= kMaxDocumentDepth) {
      refuse(mark, fmt::format("nested deeper than {} levels", kMaxDocumentDepth));
    }
    open_.push_back({make(mark, kind), mark, anchor, std::nullopt});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(done.mark, std::move(done.node), done.anchor);
  }

  void add(const YAML::Mark& mark, NodeRef node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    if (expects_key()) refuse(mark, "a key that is not a word");
    Open& parent = open_.back();
    weigh(*parent.node, node->weight, mark);
    if (parent.node->kind == DocumentNode::Kind::List) {
      parent.node->items.push_back(std::move(node));
      return;
    }
    parent.key->value = std::move(node);
    parent.node->entries.push_back(std::move(*parent.key));
    parent.key.reset();
  }

  static void weigh(DocumentNode& node, std::size_t more, const YAML::Mark& mark) {
    node.weight += more;
    if (node.weight > kMaxDocumentNodes) {
      refuse(mark, fmt::format("more than {} values, aliases counted", kMaxDocumentNodes));
    }
  }

  // `<<`: the entries of the maps it names, where the map has none of that key itself.
  void merge(DocumentNode& map) {
    std::vector<DocumentNode::Entry> own;
    std::vector<NodeRef> bases;
    const YAML::Mark& mark = open_.back().mark;
    for (DocumentNode::Entry& entry : map.entries) {
      if (entry.key != "<<") {
        own.push_back(std::move(entry));
      } else if (entry.value->kind == DocumentNode::Kind::List) {
        bases.insert(bases.end(), entry.value->items.begin(), entry.value->items.end());
      } else {
        bases.push_back(entry.value);
      }
    }
    map.entries = std::move(own);
    for (const NodeRef& base : bases) {
      if (base->kind != DocumentNode::Kind::Map)
        refuse(mark, "\"<<\" names something that is no map");
      merge_one(map, *base, mark);
    }
  }
  static void merge_one(DocumentNode& map, const DocumentNode& base, const YAML::Mark& mark) {
    const std::size_t before = map.entries.size();
    for (const DocumentNode::Entry& entry : base.entries) {
      const auto same = [&](const DocumentNode::Entry& other) { return other.key == entry.key; };
      const auto end = map.entries.begin() + static_cast<std::ptrdiff_t>(before);
      if (std::find_if(map.entries.begin(), end, same) != end) continue;
      weigh(map, entry.value->weight, mark);
      map.entries.push_back(entry);
    }
  }

  std::vector<Open> open_;
  std::map<YAML::anchor_t, NodeRef> anchors_;
  NodeRef root_;
  int documents_ = 0;
};

}  // namespace

std::expected<NodeRef, SyntaxError> parse_document(std::string_view text) {
  if (text.size() > kMaxDocumentBytes) {
    return std::unexpected(SyntaxError{{}, "larger than 1MiB: not a configuration"});
  }
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
    return std::unexpected(SyntaxError{place_of(text, at), "a NUL byte: not a text in UTF-8"});
  }
  std::istringstream stream{std::string(text)};
  Builder builder;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& fault) {
    return std::unexpected(SyntaxError{to_place(fault.mark), "not valid YAML: " + words_of(fault)});
  }
  if (builder.root()) return builder.root();
  auto nothing = std::make_shared<DocumentNode>();
  nothing->place = {1, 1};
  return nothing;
}

}  // namespace weir::conf

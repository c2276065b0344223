#include "engine/context/glob_program.h"

#include <algorithm>

#include "engine/context/go_text.h"
#include "engine/context/regexp_reader.h"

namespace otto::context {

namespace {

bool is_word(std::string_view text, std::size_t position) {
  if (position >= text.size()) return false;
  const char c = text[position];
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool at_word_boundary(std::string_view text, std::size_t position) {
  return (position > 0 && is_word(text, position - 1)) != is_word(text, position);
}

}  // namespace

void GlobProgram::RuneClass::add(char32_t low, char32_t high) {
  for (char32_t rune = low; rune <= high && rune < 128; ++rune) ascii.set(rune);
  if (high >= 128) ranges.emplace_back(std::max<char32_t>(low, 128), high);
}

bool GlobProgram::RuneClass::contains(char32_t rune) const {
  if (rune < 128) return ascii.test(rune) != negated;
  const bool listed =
      std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.first <= rune && rune <= r.second; });
  return listed != negated;
}

/// A set of byte offsets into the path, 0 … size.
class GlobProgram::Positions {
 public:
  explicit Positions(std::size_t path_size) : size_(path_size + 1), words_((size_ + 63) / 64) {
    if (words_ <= kInline) return;
    heap_.resize(2 * words_);
    now_ = heap_.data();
    next_ = heap_.data() + words_;
  }
  Positions(const Positions&) = delete;
  Positions& operator=(const Positions&) = delete;

  void set(std::size_t position) { now_[position / 64] |= std::uint64_t{1} << (position % 64); }
  void set_next(std::size_t position) { next_[position / 64] |= std::uint64_t{1} << (position % 64); }
  [[nodiscard]] bool test(std::size_t position) const { return (now_[position / 64] >> (position % 64) & 1) != 0; }
  [[nodiscard]] bool empty() const {
    return std::all_of(now_, now_ + words_, [](std::uint64_t w) { return w == 0; });
  }
  [[nodiscard]] std::size_t first() const {
    std::size_t word = 0;
    while (word < words_ && now_[word] == 0) ++word;
    return word == words_ ? size_ : word * 64 + static_cast<std::size_t>(__builtin_ctzll(now_[word]));
  }
  void step() {
    std::swap(now_, next_);
    std::fill(next_, next_ + words_, 0);
  }
  template <typename Visit>
  void each(Visit visit) const {
    for (std::size_t word = 0; word < words_; ++word) {
      for (std::uint64_t bits = now_[word]; bits != 0; bits &= bits - 1) {
        visit(word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits)));
      }
    }
  }

 private:
  static constexpr std::size_t kInline = 8;
  std::size_t size_, words_;
  std::uint64_t inline_[2 * kInline] = {};
  std::vector<std::uint64_t> heap_;
  std::uint64_t* now_ = inline_;
  std::uint64_t* next_ = inline_ + kInline;
};

bool GlobProgram::accepts(const Step& step, char32_t rune) const {
  switch (step.op) {
    case Op::kRune: return rune == step.rune;
    case Op::kClass: return classes_[step.class_index].contains(rune);
    case Op::kLine: return rune != '\n';
    default: return false;
  }
}

void GlobProgram::advance(const Step& step, std::string_view path, Positions& at) const {
  const auto keep_if = [&](auto holds) {
    at.each([&](std::size_t i) {
      if (step.times != Times::kOnce || holds(i)) at.set_next(i);
    });
  };
  switch (step.op) {
    case Op::kTextBegin: keep_if([](std::size_t i) { return i == 0; }); break;
    case Op::kTextEnd: keep_if([&](std::size_t i) { return i == path.size(); }); break;
    case Op::kWordBoundary: keep_if([&](std::size_t i) { return at_word_boundary(path, i); }); break;
    case Op::kNotWordBoundary: keep_if([&](std::size_t i) { return !at_word_boundary(path, i); }); break;
    case Op::kDirectories: {
      bool running = false;
      for (std::size_t i = 0; i <= path.size(); ++i) {
        if (at.test(i)) running = true, at.set_next(i);
        if (i == path.size()) break;
        running = running && path[i] != '\n';
        if (running && path[i] == '/') at.set_next(i + 1);
      }
      break;
    }
    default:
      if (step.times == Times::kAnyNumber) {
        bool running = false;
        for (std::size_t i = at.first(); i <= path.size();) {
          running = running || at.test(i);
          if (running) at.set_next(i);
          if (i == path.size()) break;
          const Rune rune = decode_rune(path.substr(i));
          running = running && accepts(step, rune.value);
          i += rune.width;
        }
        break;
      }
      at.each([&](std::size_t i) {
        if (step.times == Times::kAtMostOnce) at.set_next(i);
        if (i == path.size()) return;
        const Rune rune = decode_rune(path.substr(i));
        if (accepts(step, rune.value)) at.set_next(i + rune.width);
      });
  }
  at.step();
}

/// Go searches: an alternative without "^" may begin anywhere, one without "$" may end anywhere.
bool GlobProgram::found(const Sequence& sequence, std::string_view path) const {
  Positions at(path.size());
  at.set(0);
  const bool anchored = !sequence.empty() && sequence[0].op == Op::kTextBegin && sequence[0].times == Times::kOnce;
  if (!anchored) {
    for (std::size_t i = 0; i < path.size();) at.set(i += decode_rune(path.substr(i)).width);
  }
  for (const Step& step : sequence) {
    advance(step, path, at);
    if (at.empty()) return false;
  }
  return true;
}

bool GlobProgram::matches(std::string_view path) const {
  switch (kind_) {
    case Kind::kExact: return path == literal_;
    case Kind::kPrefix: return path.starts_with(literal_);
    case Kind::kSuffix:
      return path.ends_with(literal_) || (!literal_.empty() && literal_[0] == '/' && path == literal_.substr(1));
    case Kind::kRegexp: break;
  }
  if (!path.ends_with(literal_)) return false;
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Sequence& sequence) { return found(sequence, path); });
}

namespace {

/// patternmatcher's shouldEscape. It means to escape '|', '{' and '}' too, but its bit map has no room for them, so
/// Docker reads "a|b*" as two alternatives and "a{2}*" as a repetition.
bool needs_escape(char32_t rune) {
  return rune < 128 && std::string_view(".+()$").find(static_cast<char>(rune)) != std::string_view::npos;
}

}  // namespace

/// What patternmatcher's Pattern.compile makes of a pattern: the regexp's source, and which shortcut it found.
std::optional<GlobProgram> GlobProgram::compile(std::string_view pattern, std::string& why) {
  GlobProgram program;
  std::string source = "^";
  std::string_view rest = pattern;
  // text/scanner, which Docker reads the pattern with, drops a byte-order mark at the head.
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  const auto take = [&] {
    const Rune rune = decode_rune(rest);
    rest.remove_prefix(rune.width);
    return rune.value;
  };
  for (bool first = true; !rest.empty(); first = false) {
    const char32_t rune = take();
    if (rune == '*' && rest.starts_with('*')) {
      rest.remove_prefix(1);
      if (rest.starts_with('/')) rest.remove_prefix(1);
      if (!rest.empty()) {
        source += "(.*/)?";
        program.kind_ = Kind::kRegexp;
      } else if (program.kind_ == Kind::kExact) {
        program.kind_ = Kind::kPrefix;
      } else {
        source += ".*";
        program.kind_ = Kind::kRegexp;
      }
      if (first) program.kind_ = Kind::kSuffix;
      continue;
    }
    if (rune == '*' || rune == '?') {
      source += rune == '*' ? "[^/]*" : "[^/]";
      program.kind_ = Kind::kRegexp;
    } else if (rune == '\\') {
      source += '\\';
      if (rest.empty()) continue;
      append_rune(source, take());
      program.kind_ = Kind::kRegexp;
    } else {
      if (needs_escape(rune)) source += '\\';
      append_rune(source, rune);
      if (rune == '[' || rune == ']') program.kind_ = Kind::kRegexp;
    }
  }
  switch (program.kind_) {
    case Kind::kExact: program.literal_ = pattern; break;
    case Kind::kPrefix: program.literal_ = pattern.substr(0, pattern.size() - 2); break;
    case Kind::kSuffix: program.literal_ = pattern.substr(2); break;
    case Kind::kRegexp:
      if (!RegexpReader(source + "$", program).read(why)) return std::nullopt;
  }
  return program;
}

}  // namespace otto::context

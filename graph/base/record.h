// Reads what scripts answer with: records, one a line, of fields between tabs; the first field says what a record is.
//
// A record is read whole or not at all: read() gives values only where there are as many fields as are asked for and
// each number is one. So a line that was cut, or that another program wrote, is passed over instead of half believed.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace otto {

class Record {
 public:
  /// Of a line without its end.
  explicit Record(std::string_view line);

  /// "container" of "container\t<id>\t…".
  [[nodiscard]] const std::string& kind() const { return fields_.front(); }
  /// Takes all fields after the kind, in order: strings, and unsigned or signed numbers (decimal digits, nothing else).
  /// False, with nothing changed, where they are not as many or a number is none.
  template <typename... Field>
  [[nodiscard]] bool read(Field&... into) const {
    return take(1, into...);
  }
  /// The same of a record that has no kind.
  template <typename... Field>
  [[nodiscard]] bool read_all(Field&... into) const {
    return take(0, into...);
  }

 private:
  template <typename... Field>
  [[nodiscard]] bool take(std::size_t from, Field&... into) const {
    if (fields_.size() != from + sizeof...(into)) return false;
    std::size_t at = from;
    if (!(fits(fields_[at++], into) && ...)) return false;
    at = from;
    (set(fields_[at++], into), ...);
    return true;
  }
  static bool fits(const std::string&, const std::string&) { return true; }
  template <std::integral Number>
  static bool fits(const std::string& field, const Number&) {
    Number value{};
    const auto [end, failed] = std::from_chars(field.data(), field.data() + field.size(), value);
    return failed == std::errc() && end == field.data() + field.size();
  }
  static void set(const std::string& field, std::string& into) { into = field; }
  template <std::integral Number>
  static void set(const std::string& field, Number& into) {
    std::from_chars(field.data(), field.data() + field.size(), into);
  }

  std::vector<std::string> fields_;
};

/// The records of an answer, line by line; an empty line is a record of one empty field.
std::vector<Record> split_records(std::string_view answer);

}  // namespace otto

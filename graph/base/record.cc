#include "graph/base/record.h"

#include "graph/base/text.h"

namespace otto {

Record::Record(std::string_view line) : fields_(text::split(line, '\t')) {}

std::vector<Record> split_records(std::string_view answer) {
  std::vector<Record> records;
  for (const std::string& line : text::split(answer, '\n')) records.emplace_back(line);
  return records;
}

}  // namespace otto

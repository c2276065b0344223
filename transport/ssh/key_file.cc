// Recognises OpenSSH's own format (PROTOCOL.key: cipher name in the clear) and PEM.
//
// A key that others may read is refused only where this user owns it, exactly as ssh does.
#include "transport/ssh/key_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "graph/base/base64.h"
#include "graph/base/fd.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::transport {
namespace {

constexpr std::string_view kOpensshBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kOpensshEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kOpensshMagic{"openssh-key-v1\0", 15};

bool openssh_encrypted(std::string_view content) {
  const auto begin = content.find(kOpensshBegin) + kOpensshBegin.size();
  const auto end = content.find(kOpensshEnd, begin);
  if (end == std::string_view::npos) return false;
  const auto bytes = base64_decode(content.substr(begin, end - begin));
  if (!bytes || bytes->size() < kOpensshMagic.size() + 8 || !bytes->starts_with(kOpensshMagic)) return false;
  return bytes->compare(kOpensshMagic.size() + 4, 4, "none") != 0;
}

}  // namespace

KeyFile inspect_key_file(const std::string& path) {
  KeyFile key;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return key;
  const auto content = read_small_file(path);
  if (!content) {
    key.state = KeyFileState::kUnreadable;
    return key;
  }
  if (content->find("PRIVATE KEY-----") == std::string::npos) {
    key.state = KeyFileState::kNotAKey;
    return key;
  }
  const bool too_open = status.st_uid == ::getuid() && (status.st_mode & 077) != 0;
  key.state = too_open ? KeyFileState::kTooOpen : KeyFileState::kUsable;
  if (content->find(kOpensshBegin) != std::string::npos) {
    key.encrypted = openssh_encrypted(*content);
  } else {
    key.encrypted = content->find("ENCRYPTED") != std::string::npos;
  }
  if (const auto public_half = read_small_file(path + ".pub")) {
    const auto fields = text::split(*public_half, ' ');
    if (fields.size() >= 2) {
      key.public_path = path + ".pub";
      key.public_blob = base64_decode(text::trim(fields[1]));
    }
  }
  return key;
}

}  // namespace otto::transport

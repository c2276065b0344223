// Starts the proxy as a grandchild, so that nobody has to reap it: init does.
//
// Its standard error stays ours, as with ssh, so that it can say why it fails.
#include "transport/ssh/proxy_command.h"

#include <unistd.h>

#include "transport/os/subprocess.h"

namespace otto::transport {

Result<Fd> start_proxy_command(const std::string& command) {
  OTTO_TRY(auto ends, make_socket_pair());
  const SpawnRequest request{{"/bin/sh", "-c", "exec 3<&0; sh -c \"exec $1\" <&3 3<&- & exit 0", "otto-proxy", command},
                             ends.second.get(),
                             ends.second.get(),
                             STDERR_FILENO,
                             true};
  auto child = spawn(request);
  if (!child) {
    return make_error(ErrorCode::kConfig, child.error().message).in("starting the ProxyCommand of ~/.ssh/config");
  }
  OTTO_RETURN_IF_ERROR(child->wait({}, {}));
  return std::move(ends.first);
}

}  // namespace otto::transport

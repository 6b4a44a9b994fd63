#include "core/base/fingerprint.h"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace bitlaw {

std::string fingerprint(std::string_view bytes) {
  // The namespace is the OID one of RFC 4122 Appendix C; any fixed choice serves.
  const boost::uuids::name_generator_sha1 name_uuid(boost::uuids::ns::oid());
  std::string text = boost::uuids::to_string(name_uuid(bytes.data(), bytes.size()));
  text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
  return text;
}

}  // namespace bitlaw

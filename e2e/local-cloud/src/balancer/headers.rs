//! Which headers are passed on.

use std::net::{IpAddr, SocketAddr};

use http::header::{
    CONNECTION, EXPECT, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Those that speak of one connection only, whether or not `Connection` names them (RFC 9110, 7.6.1).
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes what is meant for the next hop alone.
pub(super) fn end_to_end(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// What a target is told: the client's headers, and who the client is.
pub(super) fn to_target(headers: &mut HeaderMap, client: IpAddr, listener: SocketAddr) {
    end_to_end(headers);
    // The balancer has said "100 Continue" itself by the time the body is asked for.
    headers.remove(EXPECT);
    let chain = headers.get_all(&FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let chain = chain.map(str::to_owned).chain([client.to_string()]).collect::<Vec<_>>().join(", ");
    // Made of header values and an address: always a header value again.
    if let Ok(chain) = HeaderValue::from_str(&chain) {
        headers.insert(FORWARDED_FOR, chain);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(FORWARDED_PORT, HeaderValue::from(listener.port()));
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn what_concerns_one_connection_is_not_passed_on() {
        let mut map = headers(&[
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("content-length", "3"),
            ("host", "example.com"),
        ]);
        end_to_end(&mut map);
        assert_eq!(map, headers(&[("content-length", "3"), ("host", "example.com")]));
    }

    #[test]
    fn the_target_is_told_who_asks() {
        let mut map = headers(&[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")]);
        to_target(&mut map, Ipv4Addr::LOCALHOST.into(), SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(
            map,
            headers(&[
                ("x-forwarded-for", "203.0.113.7, 127.0.0.1"),
                ("x-forwarded-proto", "http"),
                ("x-forwarded-port", "8080"),
            ])
        );
    }
}

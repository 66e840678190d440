//! The kinds of problem: their stable URNs, titles, statuses, and whose fault they are.

/// Whose fault a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The caller: what was asked for can not be done.
    Caller,
    /// The component that serves the slot.
    Component,
    /// This host, or the machine it runs on.
    Host,
    /// The database or the way to it.
    Database,
}

impl Blame {
    /// `caller`, `component`, `host` or `database`, as shown to users.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Component => "component",
            Self::Host => "host",
            Self::Database => "database",
        }
    }
}

/// What kind of problem it is. Each has a URN that never changes: `urn:avenire:` and the name below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `request`: the request is not as HTTP or this interface asks for.
    Request,
    /// `json`: the body is not acceptable JSON.
    Json,
    /// `arguments`: the arguments do not fit the function's parameters.
    Arguments,
    /// `unauthenticated`: no token, or one that does not count.
    Unauthenticated,
    /// `forbidden`: the caller may not do this.
    Forbidden,
    /// `pinned`: an argument differs from the claim that it is pinned to.
    Pinned,
    /// `origin`: a web page of a foreign origin asks.
    Origin,
    /// `not-found`: no such path.
    NotFound,
    /// `unknown-slot`: no slot of that name.
    UnknownSlot,
    /// `unknown-function`: the slot has no function of that name.
    UnknownFunction,
    /// `method`: the function is not offered with that method.
    Method,
    /// `not-acceptable`: the answer can not be given in the form asked for.
    NotAcceptable,
    /// `body-timeout`: the body did not arrive in time.
    BodyTimeout,
    /// `conflict`: it contradicts what is stored or under way.
    Conflict,
    /// `body-too-large`: the body is longer than allowed.
    BodyTooLarge,
    /// `media-type`: the body is not declared to be JSON.
    MediaType,
    /// `host`: the request names a host that is not served here.
    MisdirectedHost,
    /// `failure`: the function answered with the failure case of its own result type.
    Failure,
    /// `component`: the component trapped, panicked or broke its contract.
    Component,
    /// `limit`: the call used more than it may.
    Limit,
    /// `database`: Postgres refused a statement; the status follows the SQLSTATE.
    Database,
    /// `database-unreachable`: no connection could be had.
    DatabaseUnreachable,
    /// `internal`: this host failed.
    Internal,
    /// `overloaded`: more requests than this host carries.
    Overloaded,
    /// `busy`: more calls of this slot than it carries.
    Busy,
    /// `unavailable`: something needed is missing at the moment.
    Unavailable,
    /// `deadline`: the answer was not there in time.
    Deadline,
}

impl Kind {
    /// The `type` of the problem document.
    pub fn urn(self) -> &'static str {
        self.row().0
    }

    /// The `title`: the same for every problem of the kind.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status; that of [`Kind::Database`] without a SQLSTATE is 500.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// Whose fault it usually is.
    pub fn blame(self) -> Blame {
        match self {
            Self::Component | Self::Limit => Blame::Component,
            Self::Database | Self::DatabaseUnreachable => Blame::Database,
            Self::Internal | Self::Overloaded | Self::Busy | Self::Unavailable | Self::Deadline => {
                Blame::Host
            }
            _ => Blame::Caller,
        }
    }

    /// Whether the same request may do better later.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::DatabaseUnreachable
                | Self::Overloaded
                | Self::Busy
                | Self::Unavailable
                | Self::BodyTimeout
        )
    }

    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Request => ("urn:avenire:request", 400, "The request is malformed"),
            Self::Json => ("urn:avenire:json", 400, "The JSON is not acceptable"),
            Self::Arguments => ("urn:avenire:arguments", 400, "The arguments do not fit"),
            Self::Unauthenticated => ("urn:avenire:unauthenticated", 401, "Authentication needed"),
            Self::Forbidden => ("urn:avenire:forbidden", 403, "Not allowed"),
            Self::Pinned => ("urn:avenire:pinned", 403, "An argument is pinned to another value"),
            Self::Origin => ("urn:avenire:origin", 403, "The origin is not allowed"),
            Self::NotFound => ("urn:avenire:not-found", 404, "No such path"),
            Self::UnknownSlot => ("urn:avenire:unknown-slot", 404, "No such slot"),
            Self::UnknownFunction => ("urn:avenire:unknown-function", 404, "No such function"),
            Self::Method => ("urn:avenire:method", 405, "The method is not offered"),
            Self::NotAcceptable => ("urn:avenire:not-acceptable", 406, "No such form of answer"),
            Self::BodyTimeout => ("urn:avenire:body-timeout", 408, "The body came too slowly"),
            Self::Conflict => ("urn:avenire:conflict", 409, "It conflicts with what is there"),
            Self::BodyTooLarge => ("urn:avenire:body-too-large", 413, "The body is too large"),
            Self::MediaType => ("urn:avenire:media-type", 415, "The body has another media type"),
            Self::MisdirectedHost => ("urn:avenire:host", 421, "The host is not served here"),
            Self::Failure => ("urn:avenire:failure", 422, "The function answered with a failure"),
            Self::Component => ("urn:avenire:component", 500, "The component failed"),
            Self::Limit => ("urn:avenire:limit", 500, "The call went beyond a limit"),
            Self::Database => ("urn:avenire:database", 500, "The database refused"),
            Self::DatabaseUnreachable => {
                ("urn:avenire:database-unreachable", 503, "The database can not be reached")
            }
            Self::Internal => ("urn:avenire:internal", 500, "The host failed"),
            Self::Overloaded => ("urn:avenire:overloaded", 503, "Too many requests at once"),
            Self::Busy => ("urn:avenire:busy", 503, "Too many calls at once"),
            Self::Unavailable => ("urn:avenire:unavailable", 503, "Not available at the moment"),
            Self::Deadline => ("urn:avenire:deadline", 504, "Not answered in time"),
        }
    }
}

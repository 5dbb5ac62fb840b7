//! Transports that let users test their code without a network.

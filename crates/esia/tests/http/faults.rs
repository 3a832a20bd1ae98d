//! Every check of the client fails with its own name when the stand-in misbehaves in just that way.

use std::time::Duration;

use kopilka_esia::{
    EsiaError, StateFault, TokenFault,
    TokenKind::{Access, Id},
    standin::{Defect, Fault, named},
};

use crate::World;

#[tokio::test]
async fn every_defect_of_a_token_is_named() {
    let world = World::new().await;
    for token in [Id, Access] {
        for (defect, expected) in [
            (Defect::Unsigned, TokenFault::AlgorithmNotAllowed),
            (Defect::Hmac, TokenFault::AlgorithmNotAllowed),
            (Defect::Gost, TokenFault::NoKeyForAlgorithm),
            (Defect::Signature, TokenFault::Signature),
            (Defect::RotatedKey, TokenFault::Signature),
            (Defect::Kind, TokenFault::WrongKind),
            (Defect::Issuer, TokenFault::Issuer),
            (Defect::Audience, TokenFault::Audience),
            (Defect::Expired, TokenFault::Expired),
            (Defect::NotYetValid, TokenFault::NotYetValid),
            (Defect::IssuedInFuture, TokenFault::IssuedInFuture),
            (Defect::Subject, TokenFault::Subject),
        ] {
            world.esia.set_fault(Some(Fault::Token { token, defect }));
            match world.log_in(named::RESIDENT).await {
                Err(EsiaError::Token { token: found, fault }) => {
                    assert_eq!((found, fault), (token, expected), "{defect:?}");
                }
                other => panic!("{token} token with {defect:?}: {other:?}"),
            }
        }
    }
    world.esia.set_fault(None);
    world.log_in(named::RESIDENT).await.expect("it behaves again");
}

#[tokio::test]
async fn only_confirmed_natural_persons_pass() {
    let world = World::new().await;
    world.esia.set_fault(Some(Fault::Token { token: Id, defect: Defect::NotAPerson }));
    let error = world.log_in(named::RESIDENT).await.expect_err("an organisation");
    assert!(matches!(error, EsiaError::Token { token: Id, fault: TokenFault::NotAPerson }));
    assert!(error.needs_operator());

    world.esia.set_fault(Some(Fault::Token { token: Id, defect: Defect::MissingIsTru }));
    assert!(matches!(world.log_in(named::RESIDENT).await, Err(EsiaError::Unconfirmed)));

    world.esia.set_fault(Some(Fault::UntrustedPerson));
    assert!(matches!(world.log_in(named::RESIDENT).await, Err(EsiaError::Unconfirmed)));
}

#[tokio::test]
async fn another_state_in_the_token_response_is_refused() {
    let world = World::with(|esia, _| esia.fault = Some(Fault::StateMismatch)).await;
    let result = world.log_in(named::RESIDENT).await;
    assert!(matches!(result, Err(EsiaError::State(StateFault::TokenResponse))));
}

#[tokio::test]
async fn failing_and_slow_token_endpoints_are_retryable() {
    let world = World::with(|_, client| client.timeout = Duration::from_millis(300)).await;
    for status in [429, 500, 503] {
        world.esia.set_fault(Some(Fault::FailingTokens(status)));
        let error = world.log_in(named::RESIDENT).await.expect_err("failing");
        assert!(error.is_retryable(), "{status}: {error}");
    }
    world.esia.set_fault(Some(Fault::SlowTokens(Duration::from_secs(5))));
    let error = world.log_in(named::RESIDENT).await.expect_err("slow");
    assert_eq!(error.to_string(), "ESIA is unavailable: no answer in time");
}

#[tokio::test]
async fn errors_contain_no_personal_data() {
    let world = World::new().await;
    let faults = [
        Fault::Token { token: Id, defect: Defect::Subject },
        Fault::Token { token: Access, defect: Defect::Subject },
        Fault::UntrustedPerson,
        Fault::StateMismatch,
        Fault::FailingTokens(500),
    ];
    for fault in faults {
        world.esia.set_fault(Some(fault));
        let error = world.log_in(named::RESIDENT).await.expect_err("a fault is on");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("100000000"), "{text}");
    }
}

//! `/rs/prns`: what the access token opens, and what it does not.

use kopilka_esia::standin::named;
use serde_json::{Value, json};

use crate::{Handmade, World};

/// An access token for a citizen with these scopes.
async fn token(world: &World, oid: kopilka_esia::Oid, scope: &str) -> String {
    let scopes = scope.split(' ').map(String::from).collect();
    let client = world.client_with(|config| config.scopes = scopes);
    let callback = world.callback(&client, &kopilka_esia::LoginState::new(), oid).await;
    let mut request = Handmade::token(&crate::query(&callback).code.expect("a code"));
    request.set("scope", scope).sign();
    let (status, body) = request.exchange(world).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn get(world: &World, token: &str, path: &str) -> (u16, Value) {
    let request = world.browser.get(world.url(&format!("/rs/prns/{path}"))).bearer_auth(token);
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn fields_follow_the_scopes() {
    let world = World::new().await;
    let few = token(&world, named::RESIDENT, "openid birthdate").await;
    let (status, body) = get(&world, &few, "1000000001").await;
    assert_eq!((status, &body["birthDate"], &body["trusted"]), (200, &json!("14.03.1988"), &json!(true)));
    for hidden in ["lastName", "firstName", "snils", "inn", "gender", "addresses"] {
        assert_eq!(body.get(hidden), None, "{hidden}");
    }
    for forbidden in ["1000000001/addrs", "1000000001/ctts", "1000000001/docs", "1000000001/addrs/4"] {
        assert_eq!(get(&world, &few, forbidden).await.0, 403, "{forbidden}");
    }
    assert_eq!(get(&world, &few, "1000000001?embed=(addresses.elements)").await.0, 403);

    let all = token(&world, named::RESIDENT, "openid fullname birthdate gender snils inn contacts id_doc").await;
    let (_, body) = get(&world, &all, "1000000001").await;
    assert_eq!(body["lastName"], "Берёзкина");
    assert_eq!(body["gender"], "F");
    assert!(body["snils"].as_str().expect("text").starts_with('9'));
    let embed = "1000000001?embed=(contacts.elements,addresses.elements-1,documents.elements)";
    let (_, body) = get(&world, &all, embed).await;
    assert_eq!(body["contacts"]["size"], 2);
    assert_eq!(body["addresses"]["elements"][0]["type"], "PRG");
    assert_eq!(body["documents"]["elements"][0]["type"], "RF_PASSPORT");

    let mail = token(&world, named::RESIDENT, "openid email").await;
    let (_, body) = get(&world, &mail, "1000000001/ctts?embed=(elements)").await;
    assert_eq!((&body["size"], &body["elements"][0]["type"]), (&json!(1), &json!("EML")));
}

#[tokio::test]
async fn a_collection_is_links_unless_embedded() {
    let world = World::new().await;
    let token = token(&world, named::RESIDENT, "openid addresses").await;
    let (status, links) = get(&world, &token, "1000000001/addrs").await;
    assert_eq!((status, &links["stateFacts"]), (200, &json!(["hasSize"])));
    let link = links["elements"][0].as_str().expect("a link");
    let answer = world.browser.get(link).bearer_auth(&token).send().await.expect("an answer");
    let linked: Value = answer.json().await.expect("JSON");
    let (_, embedded) = get(&world, &token, "1000000001/addrs?embed=(elements)").await;
    assert_eq!(embedded["elements"][0], linked);
    insta::assert_json_snapshot!(linked, @r#"
    {
      "addressStr": "Приозёрная область, Зареченск, улица Школьная",
      "city": "Зареченск",
      "countryId": "RUS",
      "eTag": "STANDIN",
      "fiasCode": "5c1b7d0e-8f3a-4e52-9d46-a1c07e2b9f31",
      "flat": "101",
      "house": "12",
      "id": 4,
      "region": "Приозёрная область",
      "stateFacts": [
        "Identifiable"
      ],
      "street": "Школьная",
      "type": "PRG",
      "vrfDdt": "0,0,0",
      "zipCode": "000000"
    }
    "#);
    assert_eq!(get(&world, &token, "1000000001/addrs/99").await.0, 404);
    assert_eq!(get(&world, &token, "1000000001/vhls").await.0, 404);
    assert_eq!(get(&world, &token, "1000000001?embed=(vehicles.elements)").await.0, 400);
}

#[tokio::test]
async fn a_token_opens_its_own_person_only() {
    let world = World::new().await;
    let token = token(&world, named::RESIDENT, "openid").await;
    assert_eq!(get(&world, &token, "1000000001").await.0, 200);
    assert_eq!(get(&world, &token, "1000000002").await.0, 403);
    let mut forged = token.clone().into_bytes();
    let middle = forged.len() / 3;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("still text");
    assert_eq!(get(&world, &forged, "1000000001").await.0, 401);
    assert_eq!(get(&world, "nonsense", "1000000001").await.0, 401);
    let anonymous = world.browser.get(world.url("/rs/prns/1000000001")).send().await.expect("an answer");
    assert_eq!(anonymous.status(), 401);
}

#[tokio::test]
async fn an_id_token_opens_nothing() {
    let world = World::new().await;
    let code = world.code(named::RESIDENT).await;
    let (_, body) = Handmade::token(&code).sign().exchange(&world).await;
    let id_token = body["id_token"].as_str().expect("a token");
    assert_eq!(get(&world, id_token, "1000000001").await.0, 401);
}

#[tokio::test]
async fn the_certificate_can_be_downloaded() {
    let world = World::new().await;
    let download = async |path: &str| {
        let answer = world.browser.get(world.url(path)).send().await.expect("an answer");
        answer.bytes().await.expect("a file")
    };
    assert_eq!(download("/public/esia.pem").await, world.esia.certificate_pem());
    let zip = download("/public/esia.zip").await;
    assert!(zip.starts_with(b"PK\x03\x04"));
    let certificate = world.esia.certificate_pem().as_bytes();
    assert!(zip.windows(certificate.len()).any(|window| window == certificate), "stored without compression");
}

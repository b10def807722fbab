"use strict";

const element = document.getElementById("swagger-ui");
const ui = SwaggerUIBundle({
  domNode: element,
  url: new URL(element.dataset.contract, location).href, // the page shows it
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // a validator on another host would be told of the contract
});
ui.initOAuth({ clientId: element.dataset.clientId });

// Swagger UI puts the cursor into the last of the forms for signing in, and people use the first.
element.addEventListener("click", (event) => {
  if (event.target.closest(".auth-wrapper .authorize, .authorization__btn")) {
    setTimeout(() => document.getElementById("oauth_username")?.focus());
  }
});

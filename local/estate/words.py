"""The words that the estate is made of; people, firms and places are put together from them."""

FIRST_NAMES = tuple(
    """Ada Aisha Alba Amir Ana Anders Anja Antoine Astrid Beatriz Bilal Björn Bruno Camille Carlos
    Carmen Chiara Chloé Clara Conor Dagmar Daniela David Diego Edith Eleni Elif Emil Emma Erik
    Fatima Felix Fiona Francesca Freya Gabriel Giulia Greta Hanna Hassan Helga Henrik Hugo Ibrahim
    Ines Ingrid Isabel Ivan Jakub James Jana Johanna José Julia Kaito Karin Katarzyna Khadija Lars
    Laura Leila Lena Liam Linh Lucía Lukas Magda Malik Marek Maria Marta Mateo Maya Mehmet Mia
    Mikael Mona Nadia Niamh Nikolai Nina Noah Nora Olga Oliver Omar Oskar Paula Pavel Pedro Petra
    Priya Rafael Rania Renata Robert Rosa Ruth Samir Sara Simon Sofia Stefan Sven Tariq Teresa
    Thomas Tove Ursula Valentina Viktor Wanda William Yara Yusuf Zofia""".split()
)
LAST_NAMES = tuple(
    """Abbott Acosta Adler Ahmed Almeida Andersen Bauer Becker Bianchi Bergström Borg Brandt Byrne
    Campbell Castillo Chen Clarke Costa Cruz Dahl Delgado Demir Dubois Eklund Evans Farkas Fernández
    Ferrari Fischer Fontaine Foster García Gruber Haddad Hansen Hoffmann Horvat Ibrahim Ivanov
    Jansen Jensen Kaya Keller Khan Klein Kowalski Kruger Larsen Laurent Lehmann Lindqvist Lopez
    Marino Martins Mayer Moreau Morris Müller Murphy Nakamura Navarro Nguyen Nielsen Nowak
    O'Brien Okafor Olsen Ortega Papadopoulos Patel Pereira Peters Petrov Pham Popescu Quinn Ramos
    Reyes Ricci Rossi Roy Ruiz Sánchez Santos Schmidt Schneider Sharma Silva Singh Smith Sørensen
    Suárez Svensson Szabo Tanaka Torres Tóth Varga Vogel Wagner Walsh Weber Wilson Winkler Wójcik
    Yılmaz Young Zimmermann""".split()
)
STREETS = (
    "Mill Lane", "Harbour Street", "Station Road", "Church Walk", "Maple Avenue", "Cedar Court",
    "Lindenstraße", "Bahnhofstraße", "Gartenweg", "Rue des Lilas", "Rue de la Gare",
    "Avenue Foch", "Calle Mayor", "Calle del Sol", "Via Garibaldi", "Via Roma", "Storgatan",
    "Kongens gate", "Nørregade", "Prinsengracht", "Kerkstraat", "Rua Augusta",
)  # fmt: skip
PLACES = (
    ("Hamburg", "Hamburg", "DE", "20095"), ("Leipzig", "Sachsen", "DE", "04109"),
    ("Graz", "Steiermark", "AT", "8010"), ("Lyon", "Auvergne-Rhône-Alpes", "FR", "69002"),
    ("Nantes", "Pays de la Loire", "FR", "44000"), ("Sevilla", "Andalucía", "ES", "41001"),
    ("Bilbao", "País Vasco", "ES", "48001"), ("Torino", "Piemonte", "IT", "10121"),
    ("Utrecht", "Utrecht", "NL", "3511 AB"), ("Malmö", "Skåne", "SE", "211 20"),
    ("Aarhus", "Midtjylland", "DK", "8000"), ("Bergen", "Vestland", "NO", "5003"),
    ("Leeds", "West Yorkshire", "GB", "LS1 4AP"), ("Bristol", "Bristol", "GB", "BS1 5TR"),
    ("Portland", "Oregon", "US", "97205"), ("Austin", "Texas", "US", "78701"),
    ("Braga", "Braga", "PT", "4700-030"), ("Gdańsk", "Pomorskie", "PL", "80-831"),
)  # fmt: skip
ADJECTIVES = (
    "Oak", "Linen", "Cobalt", "Folding", "Brass", "Nordic", "Compact", "Woven", "Ceramic", "Matte",
    "Copper", "Quilted", "Enamel", "Bamboo", "Frosted", "Cork",
)  # fmt: skip
THINGS = (
    "Lamp", "Chair", "Kettle", "Blanket", "Shelf", "Mirror", "Bowl", "Stool", "Clock", "Basket",
    "Tray", "Vase", "Rug", "Teapot", "Bench", "Cushion", "Notebook", "Candle", "Desk", "Jar",
)  # fmt: skip
CATEGORIES = (
    "Lighting", "Seating", "Kitchen", "Textiles", "Storage", "Decoration", "Garden", "Office",
    "Bath", "Bedroom", "Children", "Outdoor",
)  # fmt: skip
DEPARTMENTS = ("Sales", "Finance", "Logistics", "People", "Support", "Engineering", "Legal")
DIAGNOSES = (
    ("J45.9", "Asthma, unspecified"), ("E11.9", "Type 2 diabetes mellitus"),
    ("I10", "Essential hypertension"), ("F41.1", "Generalized anxiety disorder"),
    ("M54.5", "Low back pain"), ("G43.9", "Migraine, unspecified"),
    ("F32.1", "Moderate depressive episode"), ("L40.0", "Psoriasis vulgaris"),
    ("K21.9", "Gastro-oesophageal reflux disease"), ("H52.1", "Myopia"),
    ("Z73.0", "Burn-out"), ("S93.4", "Sprain of ankle"),
)  # fmt: skip
BLOOD_GROUPS = ("A+", "A-", "B+", "B-", "AB+", "AB-", "0+", "0-")
CARRIERS = ("Northline", "ParcelBee", "Overland", "BlueVan")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/18.0 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36",
    "curl/8.10.1",
)
PATHS = ("/", "/search", "/cart", "/checkout", "/account", "/p/{n}", "/c/{n}", "/help/returns")
TICKETS = (
    "Hello, my parcel for order {order} has not arrived. Please call me at {phone}. {name}",
    "I was charged twice for {order}. You can reach me under {email}.",
    "The {thing} arrived broken, I would like my money back to {iban}.",
    "Because of my asthma I cannot use the scented candles. Can I return {order}?",
    "Where do I find the invoice of {order}?",
    "Please change the delivery address to {street}, thank you. {name}",
    "The discount code did not work at checkout.",
    "Great service, the {thing} is lovely!",
)

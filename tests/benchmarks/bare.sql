-- The bare work, for comparison: the same Parquet files in, the mapped columns of both tasks out, in source order, with the
-- same codec. The same accounts join, value maps as joins; no validation, decisions, findings or hashes. DuckDB's joins keep
-- no order of rows, whatever preserve_insertion_order says, so the order is said.
-- in: contacts (with file_row_number), accounts, transactioncurrencies, spellings (spelling, code), labels (source, key, value)    params: $customers, $persons
COPY (
    SELECT
        nullif(trim(c.firstname), '') AS PersonFirstName,
        nullif(trim(c.middlename), '') AS PersonMiddleName,
        nullif(trim(c.lastname), '') AS PersonLastName,
        c.creditlimit AS CreditLimit,
        '10' AS CustomerGroupId,
        nullif(trim(c.fax), '') AS PrimaryContactFax,
        coalesce(r.isocurrencycode, 'EUR') AS SalesCurrencyCode,
        nullif(trim(c.msdynce_contactnumber), '') AS CustomerAccount,
        nullif(trim(c.address1_city), '') AS AddressCity,
        n.code AS AddressCountryRegionISOCode,
        nullif(trim(c.description), '') AS SalesMemo,
        nullif(trim(c.emailaddress1), '') AS PrimaryContactEmail,
        nullif(trim(c.address1_line1), '') AS AddressStreet,
        'Person' AS PartyType,
        nullif(trim(c.telephone1), '') AS PrimaryContactPhone,
        nullif(trim(c.address1_postalcode), '') AS AddressZipCode,
        nullif(trim(c.address1_stateorprovince), '') AS AddressState,
        nullif(trim(c.websiteurl), '') AS PrimaryContactURL,
        nullif(trim(c.fullname), '') AS AddressDescription,
        'en-us' AS LanguageId,
        nullif(trim(c.msdynce_contactnumber), '') AS PartyNumber,
        'Yes' AS IsExternallyMaintained,
        c.contactid
    FROM contacts AS c
    LEFT JOIN transactioncurrencies AS r ON r.transactioncurrencyid = c._transactioncurrencyid_value
    LEFT JOIN spellings AS n ON n.spelling = lower(trim(c.address1_country))
    WHERE c.msdynce_isactivecustomer
    ORDER BY c.file_row_number
) TO $customers (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);

COPY (
    SELECT
        nullif(trim(c.department), '') AS EmploymentDepartment,
        nullif(trim(c.description), '') AS Notes,
        nullif(trim(c.emailaddress1), '') AS PrimaryEmailAddress,
        coalesce(g.value, 'Unknown') AS Gender,
        nullif(trim(c.governmentid), '') AS GovernmentIdentificationNumber,
        nullif(trim(c.firstname), '') AS FirstName,
        nullif(trim(c.lastname), '') AS LastName,
        nullif(trim(c.msdynce_contactnumber), '') AS ContactPersonPartyNumber,
        nullif(trim(c.address1_city), '') AS PrimaryAddressCity,
        n.code AS PrimaryAddressCountryRegionISOCode,
        nullif(trim(c.middlename), '') AS MiddleName,
        nullif(trim(c.address1_line1), '') AS PrimaryAddressStreet,
        'Person' AS ContactPersonPartyType,
        nullif(trim(c.telephone1), '') AS PrimaryPhoneNumber,
        nullif(trim(c.address1_postalcode), '') AS PrimaryAddressZipCode,
        nullif(trim(c.address1_stateorprovince), '') AS PrimaryAddressStateId,
        nullif(trim(c.websiteurl), '') AS PrimaryURL,
        coalesce(f.value, 'None') AS MaritalStatus,
        coalesce(d.value, 'Yes') AS IsReceivingDirectMail,
        nullif(trim(c.jobtitle), '') AS EmploymentProfession,
        s.value AS IsInactive,
        a.accountnumber AS AssociatedPartyNumber,
        'Yes' AS IsContactPersonExternallyMaintained,
        c.contactid
    FROM contacts AS c
    JOIN accounts AS a ON a.accountid = c._parentcustomerid_value
    LEFT JOIN spellings AS n ON n.spelling = lower(trim(c.address1_country))
    LEFT JOIN labels AS g ON g.source = 'gendercode' AND g.key = c.gendercode
    LEFT JOIN labels AS f ON f.source = 'familystatuscode' AND f.key = c.familystatuscode
    LEFT JOIN labels AS d ON d.source = 'donotemail' AND d.key = CAST(c.donotemail AS INTEGER)
    LEFT JOIN labels AS s ON s.source = 'statecode' AND s.key = c.statecode
    WHERE c.msdynce_isactivecustomer IS NOT TRUE
    ORDER BY c.file_row_number
) TO $persons (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1);
